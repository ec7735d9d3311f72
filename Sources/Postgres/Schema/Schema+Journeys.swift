extension Schema {
    /// Journeys, enrolments and timers.
    static let journeys = #"""
        create table rulebook (
            singleton boolean primary key default true check (singleton),
            generation bigint not null,
            applied_at timestamptz,
            panel text,
            timezone text,
            primary_key text,
            session_events text[] not null default '{}'
        );
        comment on column rulebook.session_events is 'those of the server''s own events that journeys listen to';
        comment on table rulebook is 'one row: raised by each apply, so that servers read what is in force anew';
        insert into rulebook (generation) values (0);

        create table journey (
            name text collate "C" not null,
            version text collate "C" not null,
            number int not null,
            definition text not null,
            state text not null check (state in ('draft', 'shadow', 'live', 'paused', 'draining')),
            is_current boolean not null,
            applied_at timestamptz not null,
            primary key (name, version)
        );
        comment on table journey is
            'journeys as applied: the current version of each, and older ones with which enrolments began';
        comment on column journey.number is 'the same for all versions; what receivers see as automationid';
        comment on column journey.definition is 'canonical JSON, whose SHA-256 is the version';

        create table journey_part (
            kind text collate "C" not null check (kind in ('segment', 'score')),
            name text collate "C" not null,
            definition text not null,
            applied_at timestamptz not null,
            primary key (kind, name)
        );
        comment on table journey_part is 'segments and scores as applied';

        create table enrolment (
            bucket int not null,
            id uuid not null,
            subject uuid not null,
            by_event boolean not null,
            journey text collate "C" not null,
            version text collate "C" not null,
            key text not null,
            n int not null,
            phase text not null,
            step text not null,
            started_at timestamptz not null,
            due timestamptz,
            open_until timestamptz,
            ended_at timestamptz,
            reason text,
            is_latest boolean not null,
            state text not null,
            primary key (bucket, id)
        ) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01, autovacuum_analyze_scale_factor = 0.02);
        create unique index enrolment_once on enrolment (bucket, subject, journey, md5(key), n);
        create index enrolment_open on enrolment (bucket, subject)
            where ended_at is null or open_until is not null;
        create index enrolment_due on enrolment (due, id) where due is not null;
        create index enrolment_journey on enrolment (journey, version) where ended_at is null;
        comment on table enrolment is 'runs of journeys; bucket_of the profile, else of the event';
        comment on column enrolment.subject is 'the profile, or the event that has none (by_event)';
        comment on column enrolment.due is 'its timer: decided once every living server has loaded up to it';
        comment on column enrolment.is_latest is 'the last one of its subject, journey and key';
        comment on column enrolment.state is 'all of it, as the engine reads it; the entry event byte for byte';

        create table memory (
            bucket int not null,
            profile_id uuid not null,
            review timestamptz,
            state text not null,
            primary key (bucket, profile_id)
        ) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01, autovacuum_analyze_scale_factor = 0.02);
        create index memory_review on memory (review, profile_id) where review is not null;
        comment on table memory is
            'what journeys remember of a profile besides its enrolments: evidence, points, memberships';

        create table decision (
            bucket int not null,
            id uuid not null,
            subject uuid not null,
            at timestamptz not null,
            journey text collate "C" not null,
            version text collate "C" not null,
            enrolment uuid not null,
            kind text not null,
            detail text not null,
            event_id uuid,
            primary key (bucket, id)
        );
        create index decision_subject on decision (bucket, subject, at);
        create index decision_at on decision using brin (at);
        comment on table decision is 'what journeys did, a line each: enrolled, left, fired, disproved late';
        """#

    /// Each time that journeys are applied it is asked which versions somebody has left and may still reach the goal of.
    static let versionsLeft = #"""
        create index enrolment_left on enrolment (journey, version) where open_until is not null;
        """#

    /// An end that is withdrawn comes again under its id, and must not start anything twice.
    static let told = #"""
        create table told (
            bucket int not null,
            event_id uuid not null,
            told_at timestamptz not null,
            primary key (bucket, event_id)
        );
        create index told_old on told (told_at);
        comment on table told is 'starts and ends of sessions that journeys saw before they were withdrawn';
        """#

    /// Whoever is in a version goes on to its end, with the segments and scores that it asks for.
    static let removedParts = #"""
        alter table journey_part add column removed_at timestamptz;
        comment on column journey_part.removed_at is
            'it stands in no file any more; old versions that somebody is in may still ask for it';
        """#
}
