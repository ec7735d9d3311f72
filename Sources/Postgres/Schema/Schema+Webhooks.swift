extension Schema {
    /// Deliveries, attempts and alerts.
    static let webhooks = #"""
        create table webhook (
            name text collate "C" primary key,
            definition text not null,
            applied_at timestamptz not null,
            removed_at timestamptz,
            state text not null default 'active' check (state in ('active', 'paused', 'disabled')),
            reason text,
            changed_at timestamptz not null,
            probe_at timestamptz,
            failures bigint not null default 0,
            failing_since timestamptz,
            last_success_at timestamptz,
            last_failure_at timestamptz,
            last_status int,
            last_error text,
            last_excerpt text
        ) with (fillfactor = 50);
        comment on table webhook is 'where deliveries go, as applied, and how it fares; secrets are references';
        comment on column webhook.failures is 'attempts that failed, ever';
        comment on column webhook.failing_since is 'the first failure after the last success; null: it works';
        comment on column webhook.removed_at is 'it stands in no file any more; what is queued is still sent';

        create table delivery (
            bucket int not null,
            id uuid not null,
            webhook text collate "C" not null,
            profile_id uuid,
            journey text,
            state text not null check (state in ('queued', 'batched', 'sent', 'failed', 'expired')),
            attempt int not null default 0,
            attempt_base int not null default 0,
            extra boolean not null default false,
            ordered boolean not null default false,
            ordinal bigint not null,
            fence int not null default 0,
            next_at timestamptz not null,
            created_at timestamptz not null,
            finished_at timestamptz,
            batch_id uuid,
            leads boolean not null default true,
            envelope text not null,
            body text not null,
            primary key (bucket, id)
        ) with (fillfactor = 70);
        create index delivery_due on delivery (webhook, next_at, ordinal) where state = 'queued';
        create index delivery_person on delivery (bucket, webhook, profile_id, ordinal)
            where ordered and state in ('queued', 'batched');
        create index delivery_failed on delivery (webhook, created_at, id) where state = 'failed';
        create index delivery_created on delivery using brin (created_at);
        comment on table delivery is 'the outbox of journeys; bucket_of the profile, else of the event';
        comment on column delivery.attempt is 'how often it was tried';
        comment on column delivery.attempt_base is 'how often it had been tried when it was last replayed';
        comment on column delivery.extra is 'the one retry at once was used';
        comment on column delivery.next_at is
            'when it is tried next; while a server has it, the end of that server''s lease';
        comment on column delivery.fence is 'raised by each claim: a result under an old number is not recorded';
        comment on column delivery.leads is 'false: another delivery of the same batch has the schedule';
        comment on column delivery.envelope is 'format and panel that stand around the item';
        comment on column delivery.body is 'the item''s JSON, byte for byte as it was queued';

        create table batch (
            bucket int not null,
            id uuid not null,
            webhook text collate "C" not null,
            created_at timestamptz not null,
            buckets int[] not null,
            members uuid[] not null,
            body text not null,
            primary key (bucket, id)
        );
        comment on table batch is 'several deliveries in one request; lives in the bucket of its first member';

        create table attempt (
            bucket int not null,
            delivery_id uuid not null,
            number int not null,
            at timestamptz not null,
            milliseconds int not null,
            status int,
            error text,
            excerpt text,
            primary key (bucket, delivery_id, number)
        );

        create table sender (
            id uuid primary key,
            host text not null,
            seen_at timestamptz not null
        );
        comment on table sender is 'the servers that send deliveries; each takes its share of the buckets';

        create table alert (
            webhook text collate "C" primary key,
            mailed_at timestamptz,
            mailed_failures bigint not null default 0,
            recovery_at timestamptz,
            is_failing boolean not null default false,
            try_at timestamptz not null,
            tries int not null default 0,
            error text
        );
        comment on table alert is 'what was mailed about a webhook, and when the next mail may go';
        """#

    /// A mail quotes the last failure, whatever arrived since.
    static let failuresQuoted = #"""
        alter table webhook add column failure_status int, add column failure_error text,
            add column failure_excerpt text;
        update webhook set failure_status = last_status, failure_error = last_error, failure_excerpt = last_excerpt
            where last_error is not null;
        comment on column webhook.failure_error is 'of the last failure, at last_failure_at';
        comment on column webhook.last_error is 'of the last attempt; null: it arrived';
        """#
}
