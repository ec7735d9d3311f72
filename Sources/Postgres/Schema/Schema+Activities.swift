extension Schema {
    /// The catalogue of activities: what was learnt of them, and the typed views.
    ///
    /// `activity.summary` is the truth, encoded so that two can be merged; the other columns, `parameter` and `drift`
    /// spell it out for whoever reads SQL. All of it is small (reference tables where there are several machines).
    static let activities = #"""
        create schema if not exists activities;
        comment on schema activities is 'a typed view for every activity, and one more for every array of objects in it';

        create sequence activity_id as int minvalue 101;
        create sequence drift_id;

        create table activity (
            key text collate "C" primary key check (octet_length(key) <= 256),
            id int not null unique,
            label text not null,
            source text collate "C" not null,
            summary bytea not null,
            events bigint not null,
            parameters int not null,
            sources text[] not null,
            first_seen_at timestamptz not null,
            last_seen_at timestamptz not null,
            rate double precision,
            shape bigint not null,
            frozen_at timestamptz,
            frozen_extra text check (frozen_extra in ('quarantine', 'drop')),
            frozen bytea
        ) with (fillfactor = 50);
        alter table activity alter summary set storage external, alter frozen set storage external;
        comment on table activity is 'the activities that were discovered; their typed views are in the schema activities';
        comment on column activity.id is 'from 101 up; never given twice';
        comment on column activity.label is 'as it was first sent';
        comment on column activity.source is 'who sent it first';
        comment on column activity.summary is 'what is known of it, to be merged with what others learn: read the table parameter instead';
        comment on column activity.events is 'how many were stored; without those of the last second';
        comment on column activity.rate is 'events a second, over the latest of them';
        comment on column activity.shape is 'another number whenever something appears that the views have to follow';
        comment on column activity.frozen_extra is 'what becomes of an event that does not fit: quarantine it, or drop what is too much';

        create table parameter (
            activity int not null,
            number int not null,
            path text not null,
            "column" text,
            types jsonb not null,
            personal text[] not null,
            events bigint not null,
            presence text not null,
            share_missing double precision not null,
            minimum numeric,
            maximum numeric,
            mean numeric,
            shortest bigint,
            longest bigint,
            distinct_values bigint,
            is_exact boolean,
            samples jsonb,
            first_seen_at timestamptz not null,
            last_seen_at timestamptz not null,
            first_event uuid not null,
            first_source text not null,
            first_client text,
            primary key (activity, number)
        );
        comment on table parameter is 'what the activities carry; counts are up to a minute old, what is new is there at once';
        comment on column parameter."column" is 'its column in the typed view activities."<key>"';
        comment on column parameter.types is 'in how many values it was of which type';

        create table drift (
            activity int not null,
            id bigint not null default nextval('drift_id'),
            found_at timestamptz not null,
            path text,
            change text not null,
            "from" text,
            "to" text,
            nearest text,
            event uuid not null,
            event_at timestamptz not null,
            source text not null,
            client text not null,
            primary key (activity, id)
        );
        comment on table drift is 'how activities changed, with the first event that showed it';

        create table activity_view (
            activity int not null,
            number int not null,
            name text collate "C" not null unique,
            steps text[] not null,
            arrays jsonb,
            shape bigint not null,
            events bigint not null,
            spelled_at timestamptz not null,
            primary key (activity, number)
        );
        comment on table activity_view is 'the typed views; number 0 is the activity''s own, the others are its arrays';

        create table activity_column (
            activity int not null,
            view int not null,
            number int not null,
            name text collate "C" not null,
            path text not null,
            steps text[] not null,
            type text not null,
            is_any boolean not null,
            primary key (activity, view, number)
        );
        comment on table activity_column is 'the columns of the typed views, in their order; none is ever changed';

        create table catalogue_position (
            instance uuid not null,
            epoch uuid not null,
            position bigint not null,
            flushed_at timestamptz not null,
            gap_at timestamptz,
            primary key (instance, epoch)
        ) with (fillfactor = 50);
        comment on table catalogue_position is 'up to where each server''s spool is in the catalogue; moves with what was learnt';
        comment on column catalogue_position.gap_at is
            'events before this time were gone before they were in the catalogue: waymark activities rebuild mends it';

        create table catalogue_overflow (
            source text collate "C" primary key,
            events bigint not null,
            activity text collate "C" not null,
            first_at timestamptz not null,
            last_at timestamptz not null
        );
        comment on table catalogue_overflow is 'sources that sent more activities than the catalogue takes; the events are stored';

        create table catalogue_state (
            singleton boolean primary key default true check (singleton),
            frozen_version bigint not null default 0,
            rebuild_at timestamptz,
            rebuild_from jsonb
        );
        insert into catalogue_state default values;
        comment on table catalogue_state is 'one row: a number that grows when an activity is frozen, and whether the catalogue is being rebuilt';

        create function activities.as_numeric(value jsonb) returns numeric language sql immutable parallel safe
            as $$ select case when jsonb_typeof(value) = 'number' then value::numeric end $$;
        create function activities.as_text(value jsonb) returns text language sql immutable parallel safe
            as $$ select case when jsonb_typeof(value) = 'string' then value #>> '{}' end $$;
        create function activities.as_boolean(value jsonb) returns boolean language sql immutable parallel safe
            as $$ select case when jsonb_typeof(value) = 'boolean' then value::boolean end $$;
        create function activities.elements(value jsonb) returns setof jsonb language sql immutable parallel safe
            as $$ select jsonb_array_elements(case when jsonb_typeof(value) = 'array' then value else '[]' end) $$;
        create function activities.length(value jsonb) returns int language sql immutable parallel safe
            as $$ select case when jsonb_typeof(value) = 'array' then jsonb_array_length(value) else 0 end $$;
        create function activities.long_member(value jsonb, digest text) returns jsonb
            language sql immutable parallel safe
            as $$ select e.value
                from jsonb_each(case when jsonb_typeof(value) = 'object' then value else '{}' end) as e(name, value)
                where octet_length(e.name) > 128
                    and left(encode(sha256(convert_to(e.name, 'UTF8')), 'hex'), 32) = digest
                limit 1 $$;
        comment on function activities.long_member(jsonb, text) is
            'the member whose name is too long to be kept, by the first 32 hex digits of its SHA-256';
        comment on function activities.as_numeric(jsonb) is 'a number; null for all else';
        comment on function activities.as_text(jsonb) is 'a text; null for all else';
        comment on function activities.as_boolean(jsonb) is 'a truth value; null for all else';
        comment on function activities.elements(jsonb) is 'the elements of an array; none for all else';
        comment on function activities.length(jsonb) is 'the length of an array; 0 for all else';
        """#
}
