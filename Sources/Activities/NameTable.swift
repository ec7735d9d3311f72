import Foundations

/// Names with counts, those with the smallest hashes: an activity's sources, and its clients.
struct NameTable: Sendable {
    struct Name: Sendable {
        let hash: UInt64
        let name: String
        var count: Int
    }

    /// In ascending order of their hashes.
    private(set) var names: [Name] = []
    /// Where the last name was: mostly the next one's place as well.
    private var latest = 0

    init() {}

    mutating func add(_ hash: UInt64, _ text: Bytes, limit: Int) {
        if latest < names.count, names[latest].hash == hash {
            names[latest].count += 1
            return
        }
        let at = names.firstIndex { $0.hash >= hash } ?? names.count
        latest = at
        if at < names.count, names[at].hash == hash {
            names[at].count += 1
        } else if at < limit {
            names.insert(Name(hash: hash, name: text.cut(to: 256), count: 1), at: at)
            if names.count > limit { names.removeLast() }
        }
    }

    mutating func merge(_ other: NameTable, limit: Int) {
        for name in other.names {
            let at = names.firstIndex { $0.hash >= name.hash } ?? names.count
            if at < names.count, names[at].hash == name.hash {
                names[at].count += name.count
            } else if at < limit {
                names.insert(name, at: at)
                if names.count > limit { names.removeLast() }
            }
        }
    }

    /// By half of its hash; empty: it isn't kept.
    func name(of half: UInt32) -> String {
        names.first { UInt32(truncatingIfNeeded: $0.hash) == half }?.name ?? ""
    }

    /// The most frequent first.
    var ranked: [NamedCount] {
        names.sorted { $0.count == $1.count ? $0.hash < $1.hash : $0.count > $1.count }
            .map { NamedCount(name: $0.name, count: $0.count) }
    }

    // MARK: - Bytes

    func encode(to buffer: inout ByteBuffer) {
        buffer.append(varint: names.count)
        for name in names {
            buffer.append(little: name.hash)
            buffer.append(counted: name.name)
            buffer.append(varint: name.count)
        }
    }

    init(_ reader: inout ByteReader) throws(SummaryError) {
        for _ in 0..<(try reader.varint()) {
            let hash = try reader.word()
            names.append(Name(hash: hash, name: try reader.text(), count: try reader.varint()))
        }
    }
}

/// A source or a client, and how many events it sent.
package struct NamedCount: Hashable, Sendable {
    package let name: String
    package let count: Int
}
