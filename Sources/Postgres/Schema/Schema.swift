/// The tables, as an ordered list of migrations. A migration that has been released is never edited: add one.
///
/// Every statement keeps to what plain PostgreSQL and Citus both run, and to what PgBouncer's transaction mode
/// allows (see the design, "Ready to be spread"). `bucket` is `bucket_of` what finds the row.
package enum Schema {
    package static let migrations = [
        Migration(number: 1, name: "collect", sql: collect),
        Migration(number: 2, name: "activities", sql: activities),
        Migration(number: 3, name: "identity", sql: identity),
        Migration(number: 4, name: "sessions", sql: sessions),
        Migration(number: 5, name: "quarantine", sql: quarantine),
        Migration(number: 6, name: "webhooks", sql: webhooks),
        Migration(number: 7, name: "journeys", sql: journeys),
        Migration(number: 8, name: "versions left", sql: versionsLeft),
        Migration(number: 9, name: "heartbeat", sql: heartbeat),
        Migration(number: 10, name: "given identities", sql: givenIdentities),
        Migration(number: 11, name: "failures quoted", sql: failuresQuoted),
        Migration(number: 12, name: "told", sql: told),
        Migration(number: 13, name: "removed parts", sql: removedParts),
    ]

    private static let collect = #"""
        create function bucket_of(id uuid) returns int language sql immutable strict parallel safe
            as $$ select ('x' || right(id::text, 3))::bit(12)::int $$;
        create function bucket_of(id text) returns int language sql immutable strict parallel safe
            as $$ select ('x' || right(md5(id), 3))::bit(12)::int $$;
        comment on function bucket_of(uuid) is 'the bucket (0 to 4095) of a profile, an event or an alias';
        comment on function bucket_of(text) is 'the bucket (0 to 4095) of a session';

        create table installation (
            singleton boolean primary key default true check (singleton),
            id uuid not null default gen_random_uuid(),
            secret bytea not null,
            created_at timestamptz not null default now()
        );
        comment on table installation is 'one row: the secret under which profile ids certify themselves';
        insert into installation (secret) values (decode(replace(
            gen_random_uuid()::text || gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex'));

        create sequence step increment by 1048576;
        comment on sequence step is
            'numbers what is done to persons, taken under their locks: a transaction''s events lie between two of them';

        create table source (
            id text collate "C" primary key check (octet_length(id) <= 256),
            name text not null,
            kinds text[] not null,
            enabled boolean not null,
            configured_at timestamptz not null
        );
        comment on table source is 'the sources as the servers'' configurations last had them';

        create table profile (
            bucket int not null,
            id uuid not null,
            traits jsonb not null default '{}',
            created_at timestamptz not null,
            last_seen_at timestamptz not null,
            primary key (bucket, id)
        ) with (fillfactor = 80);

        create table identity (
            bucket int not null,
            kind text collate "C" not null,
            value text collate "C" not null,
            profile_id uuid not null,
            created_at timestamptz not null,
            primary key (bucket, kind, value)
        );
        comment on table identity is 'what a person is known by; bucket_of(kind || '':'' || value)';

        create table alias (
            bucket int not null,
            id uuid not null,
            profile_id uuid not null,
            created_at timestamptz not null,
            merged_into uuid,
            step bigint not null default nextval('step'),
            primary key (bucket, id)
        );
        create index alias_profile on alias (profile_id);
        comment on table alias is 'profile ids that were answered once and now mean another profile';
        comment on column alias.merged_into is 'the profile that it was merged into, which may have been merged since';
        comment on column alias.step is 'when that was, among the steps of the events of both';

        create table session (
            bucket int not null,
            id text collate "C" not null check (octet_length(id) <= 256),
            profile_id uuid,
            source text collate "C" not null,
            started_at timestamptz not null,
            last_seen_at timestamptz not null,
            ended_at timestamptz,
            context jsonb,
            user_agent text,
            clock_skew bigint,
            primary key (bucket, id)
        ) with (fillfactor = 80);
        comment on column session.clock_skew is 'microseconds that are added to the times that this client says; null: no clock of it was seen';

        create table event (
            bucket int not null,
            id uuid not null,
            received_at timestamptz not null,
            time timestamptz not null,
            activity text collate "C" not null check (octet_length(activity) <= 256),
            label text not null,
            source text collate "C" not null,
            session_id text collate "C",
            profile_id uuid,
            properties jsonb not null,
            context jsonb,
            tags text[],
            client_id text collate "C",
            client_time timestamptz,
            step bigint,
            seen_at timestamptz,
            primary key (bucket, id, received_at)
        ) partition by range (received_at);
        create index event_profile on event (profile_id, time) where profile_id is not null;
        create index event_received on event using brin (received_at);
        comment on column event.time is 'when it happened: client_time, corrected by the skew of the client''s clock';
        comment on column event.client_time is 'when the client said it happened, as it said it';
        comment on column event.step is
            'the order in which a person''s events went through journeys; null: no journey was in force, or it is to come';
        comment on column event.seen_at is 'when it got its person, if it came without one';

        create table event_key (
            bucket int not null,
            key uuid not null,
            content bigint not null,
            day int not null,
            primary key (bucket, key)
        ) partition by hash (bucket);
        comment on table event_key is
            'client ids taken: 16 bytes of SHA-256 over source, a zero byte and id; a hash of activity and properties; days since 1970';
        do $$ begin
            for i in 0..7 loop
                execute format('create table event_key_%s partition of event_key for values with (modulus 8, remainder %s)', i, i);
            end loop;
        end $$;

        create table quarantine (
            id uuid primary key,
            received_at timestamptz not null,
            source text collate "C" not null,
            activity text,
            reason text not null,
            pointer text,
            detail jsonb,
            payload jsonb not null,
            context jsonb,
            session_id text collate "C",
            profile_id uuid,
            client_id text,
            client_time timestamptz,
            task uuid not null,
            instance uuid not null
        );
        create index quarantine_reason on quarantine (reason, received_at);
        comment on table quarantine is 'events that could not be taken, with the reason';

        create table ledger_entry (
            instance uuid not null,
            source text collate "C" not null,
            minute timestamptz not null,
            received bigint not null default 0,
            stored bigint not null default 0,
            duplicate bigint not null default 0,
            denied bigint not null default 0,
            quarantined bigint not null default 0,
            unsaved bigint not null default 0,
            primary key (instance, source, minute)
        ) with (fillfactor = 50);
        create view ledger as
            select source, minute, sum(received)::bigint as received, sum(stored)::bigint as stored,
                sum(duplicate)::bigint as duplicate, sum(denied)::bigint as denied,
                sum(quarantined)::bigint as quarantined, sum(unsaved)::bigint as unsaved
            from ledger_entry group by source, minute;
        comment on view ledger is
            'received = stored + duplicate + denied + quarantined + unsaved, for every source and minute';

        create table spool_position (
            instance uuid not null,
            epoch uuid not null,
            position bigint not null,
            part int not null default 0,
            loaded_until timestamptz not null,
            alive_at timestamptz not null,
            host text not null,
            primary key (instance, epoch)
        ) with (fillfactor = 50);
        comment on column spool_position.position is 'segment * 2^32 + offset of the record to be loaded next';
        comment on column spool_position.part is 'how many events of that record are loaded already';
        """#

    /// The row in `spool_position` is locked while a server loads: here it says meanwhile that it lives.
    static let heartbeat = #"""
        create table heartbeat (instance uuid primary key, beats bigint not null) with (fillfactor = 50);
        comment on table heartbeat is 'servers whose loader is, or was, in a transaction that takes long';
        """#
}
