import Foundations
import Glibc

/// The user under whom PostgreSQL runs. It refuses to run as root, so root's cluster belongs to a lesser user.
struct Owner: Equatable {
    let uid: uid_t
    let gid: gid_t
    /// The name if there is one, else the number.
    let name: String
    /// Whether that is somebody else than we are.
    let isOther: Bool

    /// Us; or, for root, whom the cluster belongs to already, else the user `waymark`, else `postgres`.
    static func find(cluster: String) throws(EmbeddedError) -> Owner {
        let me = geteuid()
        let current = Files.status(cluster)
        guard me == 0 else {
            if let current, current.st_uid != me {
                throw EmbeddedError(
                    "the cluster \(cluster) belongs to user \(name(of: current.st_uid)), not to \(name(of: me)): "
                        + "start the server as root or as that user")
            }
            return Owner(uid: me, gid: getegid(), name: name(of: me), isOther: false)
        }
        if let current, current.st_uid != 0 {
            return Owner(
                uid: current.st_uid, gid: current.st_gid, name: name(of: current.st_uid), isOther: true)
        }
        for name in ["waymark", "postgres"] {
            if let user = getpwnam(name)?.pointee, user.pw_uid != 0 {
                return Owner(uid: user.pw_uid, gid: user.pw_gid, name: name, isOther: true)
            }
        }
        throw EmbeddedError(
            "PostgreSQL does not run as root, and there is no user for it: adduser --system --group waymark")
    }

    private static func name(of uid: uid_t) -> String {
        getpwuid(uid).map { String(cString: $0.pointee.pw_name) } ?? "\(uid)"
    }

    /// Makes an open file or folder this user's.
    func take(_ descriptor: Int32, _ path: String) throws(SystemError) {
        guard isOther else { return }
        try retrying("chown", path) { fchown(descriptor, uid, gid) }
    }

    /// Whether every folder above `path` lets this user through.
    func canReach(_ path: String) -> Bool {
        var above = ""
        for part in path.split(separator: "/").dropLast() {
            above += "/" + part
            var status = stat()
            guard stat(above, &status) == 0 else { return false }
            let bit = status.st_uid == uid ? S_IXUSR : status.st_gid == gid ? S_IXGRP : S_IXOTH
            if status.st_mode & bit == 0 { return false }
        }
        return true
    }
}
