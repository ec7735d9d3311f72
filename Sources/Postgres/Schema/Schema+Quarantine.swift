extension Schema {
    /// What a replay needs to send an event through the whole way again, and what became of replays.
    static let quarantine = #"""
        alter table quarantine
            add column sent_at timestamptz,
            add column sent_profile text,
            add column user_agent text,
            add column basis smallint not null default 0,
            add column flags smallint not null default 0,
            add column is_wrapped boolean not null default false,
            add column request uuid,
            add column requested_at timestamptz,
            add column claimed_at timestamptz,
            add column claimed_by uuid,
            add column attempts int not null default 0,
            add column replayed_at timestamptz,
            add column journey text collate "C",
            add column event_id uuid,
            add column input text,
            alter column task drop not null,
            alter column instance drop not null;
        create index quarantine_journey on quarantine (journey) where journey is not null;
        create index quarantine_journey_requested on quarantine (requested_at, id)
            where journey is not null and requested_at is not null;
        create index quarantine_requested on quarantine (requested_at, id) where requested_at is not null;
        create index quarantine_request on quarantine (request) where request is not null;
        create index quarantine_received on quarantine (received_at);
        comment on column quarantine.context is 'of the session, as the request brought it';
        comment on column quarantine.profile_id is 'the profile that was answered';
        comment on column quarantine.basis is 'why that profile was answered (Submission.Basis)';
        comment on column quarantine.flags is 'the request''s options (Submission.Flags)';
        comment on column quarantine.is_wrapped is
            'what the database might refuse (objects and lists of the payload, the context) is kept as a string of its JSON';
        comment on column quarantine.request is 'the last request for a replay; requested_at: it is not done yet';
        comment on column quarantine.claimed_by is 'the server that judges and sends it again, since claimed_at';
        comment on column quarantine.journey is
            'the journey that could not do with a stored event what it wanted to; null: the event could not be taken';
        comment on column quarantine.input is 'what the journey was kept from, as the engine reads it';
        comment on column quarantine.attempts is 'how often a replay ended here again';

        create table replay (
            id uuid primary key,
            request uuid,
            received_at timestamptz not null,
            source text collate "C" not null,
            activity text,
            reason text not null,
            outcome text not null,
            at timestamptz not null
        );
        create index replay_request on replay (request) where request is not null;
        create index replay_at on replay (at);
        comment on table replay is 'events that left the quarantine by a replay, and what became of them; kept for 30 days';
        """#
}
