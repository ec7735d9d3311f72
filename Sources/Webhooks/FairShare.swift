/// Places that many lanes share: each may hold as many as are free at the moment, and one in any case. Pure.
///
/// One lane alone gets half of them; beside `n` that never let go, each of those holds one part of `n + 1`, and one
/// part stays free. So whoever comes always finds room, without a place being set aside for each of a thousand.
struct FairShare: Sendable {
    let places: Int
    private(set) var taken = 0

    init(places: Int) { self.places = places }

    /// How many more one may take that holds so many.
    func room(holding own: Int) -> Int { max(places - taken - own, own == 0 ? 1 : 0) }

    mutating func take(_ count: Int) { taken += count }
    mutating func give(_ count: Int) { taken -= count }
}
