/// The versions of the format on disk that can be read; the latest is written.
enum SegmentFormat: UInt32 {
    case v1 = 1

    static let latest = SegmentFormat.v1
}
