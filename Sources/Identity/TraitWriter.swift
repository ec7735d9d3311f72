import Foundations
import Payload
import Postgres

/// One event's change to one trait of a person.
package struct ProfileChange: Sendable {
    /// As it is now, and locked.
    package let profile: UUID
    package let change: TraitChange
    package let stamp: TraitState.Stamp
    package let source: String
    /// Where its event stands in its transaction; nil: it came before.
    package let place: Int?

    package init(
        _ profile: UUID, _ change: TraitChange, _ stamp: TraitState.Stamp, source: String, place: Int? = nil
    ) {
        (self.profile, self.change, self.stamp, self.source) = (profile, change, stamp, source)
        self.place = place
    }
}

/// What an event made of one trait of a person.
package struct TraitTurn: Sendable {
    package let profile: UUID
    package let trait: String
    /// Where the event stands in its transaction.
    package let place: Int
    /// JSON texts; nil: the trait is not there.
    package let before: [UInt8]?
    package let after: [UInt8]?
}

/// Writes what happened to traits, inside the transaction that stores the events: so each change happens once.
///
/// What is known of the traits that are touched is read in one statement, decided by `TraitState`, and written in
/// two: the state, and the value in `profile.traits`, where everybody reads it.
package struct TraitWriter {
    private struct Place: Hashable {
        let profile: UUID
        let trait: String
    }

    private let rules: IdentityRules
    private let metrics: IdentityMetrics
    private var states: [Place: TraitState] = [:]
    /// How many traits a profile has.
    private var counts: [UUID: Int] = [:]
    private var changed: Set<Place> = []
    private var turns: [TraitTurn] = []

    /// Writes the changes, in their order, after what merged profiles bring along. Returns what each made of its trait,
    /// of those that have a place.
    @discardableResult package static func write(
        _ changes: [ProfileChange], after settlement: Settlement, _ rules: IdentityRules,
        _ metrics: IdentityMetrics, _ connection: Connection
    ) throws(PostgresError) -> [TraitTurn] {
        if changes.isEmpty, settlement.gone.isEmpty { return [] }
        var writer = TraitWriter(rules: rules, metrics: metrics)
        let inherited = try writer.inherited(settlement.gone, connection)
        var places = Set(changes.map { Place(profile: $0.profile, trait: $0.change.trait) })
        places.formUnion(inherited.map(\.place))
        try writer.read(Array(places), connection)
        for (place, state) in inherited { writer.inherit(state, at: place) }
        for change in changes { writer.apply(change) }
        try writer.write(connection)
        return writer.turns
    }

    private init(rules: IdentityRules, metrics: IdentityMetrics) {
        (self.rules, self.metrics) = (rules, metrics)
    }

    // MARK: Deciding

    private mutating func inherit(_ state: TraitState, at place: Place) {
        if let own = states[place] {
            states[place] = TraitState.merged(own, state, rules.traitRules[place.trait]?.merge)
        } else {
            states[place] = state
        }
        changed.insert(place)
    }

    private mutating func apply(_ change: ProfileChange) {
        let place = Place(profile: change.profile, trait: change.change.trait)
        let before = states[place]?.value
        if var state = states[place] {
            guard state.apply(change.change, change.stamp, source: change.source) else {
                return metrics.ignoredChanges.add()
            }
            states[place] = state
        } else {
            let count = counts[change.profile] ?? 0
            guard count < TraitState.mostTraits,
                let state = TraitState(change.change, change.stamp, source: change.source)
            else { return metrics.ignoredChanges.add() }
            states[place] = state
            counts[change.profile] = count + 1
        }
        changed.insert(place)
        guard let event = change.place, let after = states[place], after.value != before else { return }
        turns.append(
            TraitTurn(
                profile: place.profile, trait: place.trait, place: event, before: before, after: after.value))
    }

    // MARK: Reading

    /// The traits of profiles that were merged, by where they go.
    private func inherited(
        _ gone: [Settlement.Gone], _ connection: Connection
    ) throws(PostgresError) -> [(place: Place, state: TraitState)] {
        if gone.isEmpty { return [] }
        let winners = Dictionary(gone.map { ($0.id, $0) }) { first, _ in first }
        let rows = try connection.execute(
            """
            delete from trait t using unnest($1::int[], $2::uuid[]) as q(bucket, id)
            where t.bucket = q.bucket and t.profile_id = q.id returning t.profile_id, t.name, t.state
            """, gone.map(\.id.bucket), gone.map(\.id), context: "moving traits")
        var found: [(place: Place, state: TraitState)] = []
        var known: Set<Place> = []
        for row in 0..<rows.count {
            guard let profile = winners[rows.uuid(row, 0)], let state = Self.state(rows.json(row, 2)) else {
                continue
            }
            let name = rows.string(row, 1)
            found.append((Place(profile: profile.winner, trait: name), state))
            known.insert(Place(profile: profile.id, trait: name))
        }
        for profile in gone where profile.traits.count > 2 {
            for (name, value) in Self.values(profile.traits)
            where !known.contains(Place(profile: profile.id, trait: name)) {
                let state = TraitState(imported: value, at: profile.createdAt)
                found.append((Place(profile: profile.winner, trait: name), state))
            }
        }
        // The order in which they are merged is the same on every server.
        return found.sorted { ($0.place.profile, $0.place.trait) < ($1.place.profile, $1.place.trait) }
    }

    private mutating func read(_ places: [Place], _ connection: Connection) throws(PostgresError) {
        let rows = try connection.execute(
            """
            select q.profile_id, q.name, t.state, p.traits #> string_to_array(q.name, '.'), p.created_at,
                (select count(*) from jsonb_object_keys(p.traits))
            from unnest($1::int[], $2::uuid[], $3::text[]) as q(bucket, profile_id, name)
                join profile p on p.bucket = q.bucket and p.id = q.profile_id
                left join trait t on t.bucket = q.bucket and t.profile_id = q.profile_id and t.name = q.name
            """, places.map(\.profile.bucket), places.map(\.profile), places.map(\.trait),
            context: "reading traits")
        for row in 0..<rows.count {
            let place = Place(profile: rows.uuid(row, 0), trait: rows.string(row, 1))
            if !rows.isNull(row, 2) {
                states[place] = Self.state(rows.json(row, 2))
            } else if !rows.isNull(row, 3) {
                states[place] = TraitState(imported: Array(rows.json(row, 3)), at: rows.timestamp(row, 4))
            }
            counts[place.profile] = rows.int(row, 5)
        }
    }

    private static func state(_ json: Bytes) -> TraitState? {
        var document = JSONDocument()
        guard (try? document.parse(json)) != nil else { return nil }
        return TraitState(document.root)
    }

    /// The members of a profile's traits, the private ones under `private.`.
    private static func values(_ traits: [UInt8]) -> [(name: String, value: [UInt8])] {
        traits.withUnsafeBytes { bytes in
            var document = JSONDocument()
            guard (try? document.parse(bytes)) != nil else { return [] }
            var values: [(String, [UInt8])] = []
            for (key, value) in document.root.members {
                let name = key.text
                if name == "private", value.kind == .object {
                    for (key, value) in value.members {
                        values.append(("private." + key.text, Array(value.bytes)))
                    }
                } else {
                    values.append((name, Array(value.bytes)))
                }
            }
            return values
        }
    }

    // MARK: Writing

    private func write(_ connection: Connection) throws(PostgresError) {
        let places = changed.sorted { a, b in
            (a.profile.bucket, a.profile, a.trait) < (b.profile.bucket, b.profile, b.trait)
        }
        if places.isEmpty { return }
        var column = ArrayColumn(of: JSONText.self)
        for place in places {
            (states[place]?.json ?? Array("{}".utf8)).withUnsafeBytes { column.append(JSONText($0)) }
        }
        var parameters = Parameters()
        parameters.append(places.map(\.profile.bucket))
        parameters.append(places.map(\.profile))
        parameters.append(places.map(\.trait))
        parameters.append(column)
        _ = try connection.execute(
            """
            insert into trait (bucket, profile_id, name, state)
            select * from unnest($1::int[], $2::uuid[], $3::text[], $4::jsonb[])
            on conflict (bucket, profile_id, name) do update set state = excluded.state
            """, with: parameters, context: "writing traits")
        try writeValues(places, connection)
    }

    private func writeValues(_ places: [Place], _ connection: Connection) throws(PostgresError) {
        var profiles: [UUID] = []
        var patches = ArrayColumn(of: JSONText.self)
        var start = 0
        while start < places.count {
            let profile = places[start].profile
            let end = places[start...].firstIndex { $0.profile != profile } ?? places.count
            profiles.append(profile)
            patch(places[start..<end]).withUnsafeBytes { patches.append(JSONText($0)) }
            start = end
        }
        var parameters = Parameters()
        parameters.append(profiles.map(\.bucket))
        parameters.append(profiles)
        parameters.append(patches)
        _ = try connection.execute(
            """
            update profile p set traits = (p.traits - array(select jsonb_array_elements_text(q.patch -> 'gone')))
                || (q.patch -> 'set')
                || case when q.patch ? 'private' then jsonb_build_object('private',
                    (case when jsonb_typeof(p.traits -> 'private') = 'object' then p.traits -> 'private' else '{}' end
                        - array(select jsonb_array_elements_text(q.patch -> 'private_gone')))
                    || (q.patch -> 'private')) else '{}' end
            from unnest($1::int[], $2::uuid[], $3::jsonb[]) as q(bucket, id, patch)
            where p.bucket = q.bucket and p.id = q.id
            """, with: parameters, context: "writing profiles' traits")
    }

    /// `{"set": {…}, "gone": […]}`, and the same for the private ones, if there are any.
    private func patch(_ places: ArraySlice<Place>) -> [UInt8] {
        var json = JSONWriter()
        let isPrivate = { (place: Place) in place.trait.hasPrefix("private.") }
        let name = { (place: Place) in
            isPrivate(place) ? String(place.trait.dropFirst("private.".count)) : place.trait
        }
        func part(_ json: inout JSONWriter, _ set: String, _ gone: String, _ part: [Place]) {
            json.object(set) { json in
                for place in part {
                    states[place]?.value?.withUnsafeBytes { json.member(name(place), json: $0) }
                }
            }
            json.member(gone, part.filter { states[$0]?.value == nil }.map(name))
        }
        json.object { json in
            part(&json, "set", "gone", places.filter { !isPrivate($0) })
            if places.contains(where: isPrivate) {
                part(&json, "private", "private_gone", places.filter(isPrivate))
            }
        }
        return Array(json.bytes)
    }
}

extension JSONNode {
    /// A string's decoded text.
    var text: String {
        var buffer = ByteBuffer(capacity: bytes.count)
        appendText(to: &buffer)
        return buffer.bytes.text
    }
}
