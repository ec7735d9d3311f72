extension Schema {
    /// Who is who: what a person is known by, traits, merges, and events that wait for their person.
    static let identity = #"""
        alter table profile
            add column kinds text[] not null default '{}',
            add column known_at timestamptz,
            add column fixed boolean not null default false;
        comment on column profile.fixed is 'its id is a source''s own (static_profile_id): it never loses a merge';
        comment on column profile.kinds is 'the kinds of identities that it is known by';
        comment on column profile.known_at is 'when it first showed an identity; null: anonymous';

        alter table identity alter column profile_id drop not null;
        create index identity_profile on identity (profile_id) where profile_id is not null;
        comment on column identity.profile_id is 'null: nobody is known by it yet, but events wait for whoever will be';

        create table trait (
            bucket int not null,
            profile_id uuid not null,
            name text collate "C" not null,
            state jsonb not null,
            primary key (bucket, profile_id, name)
        ) with (fillfactor = 80);
        comment on table trait is
            'how each of a profile''s traits came to its value: its time, its event, and the values before it';

        create table waiting (
            bucket int not null,
            kind text collate "C" not null,
            value text collate "C" not null,
            event_id uuid not null,
            event_bucket int not null,
            received_at timestamptz not null,
            until timestamptz not null,
            effects jsonb not null,
            primary key (bucket, kind, value, event_id)
        );
        create index waiting_until on waiting (until);
        comment on table waiting is
            'events without a profile that wait for an identity to become known; bucket_of(kind || '':'' || value)';

        create table attached (
            bucket int not null,
            event_id uuid not null,
            received_at timestamptz not null,
            profile_id uuid not null,
            attached_at timestamptz not null,
            primary key (bucket, event_id)
        );
        create index attached_at on attached (attached_at);
        comment on table attached is
            'events that got their profile after they were stored, for seven days: journeys take them from here';

        create table chore (
            bucket int not null,
            kind text collate "C" not null,
            key text collate "C" not null,
            created_at timestamptz not null,
            primary key (bucket, kind, key)
        );
        comment on table chore is
            'what was too much for one transaction: aliases to be shortened (merge), waiting events to be attached (attach)';

        create table lookup (
            bucket int not null,
            event_id uuid not null,
            received_at timestamptz not null,
            source text collate "C" not null,
            url text not null,
            effects jsonb not null,
            state text not null,
            attempt int not null default 0,
            next_at timestamptz not null,
            created_at timestamptz not null,
            status int,
            error text,
            primary key (bucket, event_id)
        ) with (fillfactor = 70);
        create index lookup_next on lookup (next_at) where state = 'queued';
        comment on table lookup is
            'questions to the outside about events without a profile: queued, found, nobody or failed';

        create function person_of(wanted uuid) returns uuid language plpgsql stable strict parallel safe as $$
            declare
                now_is uuid := wanted;
                next_is uuid;
            begin
                for step in 1..10000 loop
                    select profile_id into next_is from alias where bucket = bucket_of(now_is) and id = now_is;
                    if next_is is null then return now_is; end if;
                    now_is := next_is;
                end loop;
                return now_is;
            end $$;
        comment on function person_of(uuid) is 'the profile that an id means now: itself, or the one that it was merged into';

        create function ids_of(person uuid) returns setof uuid language sql stable strict parallel safe as $$
            with recursive ids(id) as (
                select person union select a.id from alias a join ids on a.profile_id = ids.id)
            select id from ids $$;
        comment on function ids_of(uuid) is 'all ids under which a person''s events may stand: its own, and those merged into it';

        create view person as
            select id, person_of(profile_id) as profile_id from alias union all select id, id from profile;
        comment on view person is 'every id that means somebody, and whom';
        """#

    /// Of several identities the one that was given last goes out with a webhook.
    static let givenIdentities = #"""
        alter table identity add column given_at timestamptz;
        comment on column identity.given_at is
            'when it was given last, written where its person has others as well; null: when it was made';
        """#
}
