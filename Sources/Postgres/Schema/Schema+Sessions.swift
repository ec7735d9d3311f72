extension Schema {
    /// When sessions begin and end, and on what they run.
    static let sessions = #"""
        alter table session
            add column device text,
            add column os text,
            add column browser text,
            add column browser_version text,
            add column bot text,
            add column visits int not null default 0,
            add column events bigint not null default 0,
            add column entry_page text,
            add column exit_page text;
        comment on column session.device is 'desktop, phone, tablet, tv, console, watch; by the user agent; null: it does not say';
        comment on column session.bot is 'the name of the program that sends, when it is no person; by the user agent';
        comment on column session.ended_at is 'the last event''s time, once there was silence after it; null: it goes on';
        comment on column session.visits is 'with events, entry_page and exit_page: as of the last session.end; table visit is up to date';

        create table visit (
            bucket int not null,
            session_id text collate "C" not null,
            number int not null,
            source text collate "C" not null,
            profile_id uuid,
            started_at timestamptz not null,
            last_at timestamptz not null,
            due_at timestamptz not null,
            ended boolean not null default false,
            is_last boolean not null,
            joined int,
            events bigint not null,
            entry_at timestamptz,
            entry_page text collate "C",
            exit_at timestamptz,
            exit_page text collate "C",
            referrer text,
            utm_source text,
            utm_medium text,
            utm_campaign text,
            utm_term text,
            utm_content text,
            click_source text,
            click_id text,
            start_received_at timestamptz not null,
            end_received_at timestamptz,
            primary key (bucket, session_id, number)
        ) with (fillfactor = 80);
        create index visit_due on visit (due_at) where not ended and joined is null;
        create index visit_profile on visit (profile_id, started_at);
        comment on table visit is
            'the runs of a session''s events without silence between them; bucket_of(session_id); each has a session.start, and a session.end once it has ended';
        comment on column visit.profile_id is 'whose it was when it began; aliases tell who that is now';
        comment on column visit.due_at is 'not to be ended before; the last event plus the silence, or earlier';
        comment on column visit.is_last is 'the session''s latest, by time';
        comment on column visit.joined is 'a late event joined it to this one of the same session: its own events are withdrawn';
        comment on column visit.click_source is 'the name of the click id: gclid, fbclid, …';
        comment on column visit.start_received_at is 'received_at of its session.start in the table event; end_received_at the same of its session.end';

        create view session_visit as
            select v.session_id, v.number, v.source, person_of(v.profile_id) as profile_id,
                v.started_at, v.last_at, case when v.ended then v.last_at end as ended_at,
                extract(epoch from v.last_at - v.started_at)::bigint as seconds, v.events,
                v.entry_page, v.exit_page, v.referrer, v.utm_source, v.utm_medium, v.utm_campaign, v.utm_term,
                v.utm_content, v.click_source, v.click_id, s.device, s.os, s.browser, s.browser_version, s.bot
            from visit v
                join session s on s.bucket = v.bucket and s.id = v.session_id
            where v.joined is null;
        comment on view session_visit is 'for people: every visit with its pages, campaign and device, under the profile that it belongs to now';
        """#
}
