import Foundations

/// Names that say what their values are: a `password` is personal whatever it looks like.
enum PersonalNames {
    /// The letters of a name must be these.
    private static let whole: [(StaticString, PersonalKinds)] = [
        ("pwd", .token), ("pin", .token), ("token", .token), ("auth", .token), ("authorization", .token),
        ("bearer", .token), ("jwt", .token), ("otp", .token), ("cookie", .token), ("credentials", .token),
        ("email", .email), ("mail", .email), ("emailaddress", .email), ("useremail", .email),
        ("customeremail", .email), ("phone", .phone), ("tel", .phone), ("telephone", .phone),
        ("mobile", .phone),
        ("mobilephone", .phone), ("fax", .phone), ("phonenumber", .phone), ("mobilenumber", .phone),
        ("msisdn", .phone), ("iban", .iban), ("pan", .card), ("cvv", .card), ("cvc", .card), ("ssn", .token),
        ("emails", .email), ("phones", .phone), ("cardno", .card),
    ]
    /// The last word of a name may be one of these: `customer_phone`, `pushToken`, but not `token_count`.
    private static let last: [(StaticString, PersonalKinds)] = [
        ("token", .token), ("otp", .token), ("jwt", .token), ("ssn", .token), ("email", .email),
        ("emails", .email),
        ("phone", .phone), ("phones", .phone), ("telephone", .phone), ("msisdn", .phone), ("iban", .iban),
        ("cvc", .card), ("cvv", .card),
    ]
    /// These must be among the letters of a name.
    private static let parts: [(StaticString, PersonalKinds)] = [
        ("password", .token), ("passwd", .token), ("passphrase", .token), ("passcode", .token),
        ("secret", .token),
        ("apikey", .token), ("accesstoken", .token), ("authtoken", .token), ("refreshtoken", .token),
        ("idtoken", .token), ("sessiontoken", .token), ("csrftoken", .token), ("privatekey", .token),
        ("creditcard", .card), ("cardnumber", .card), ("ccnumber", .card), ("securitycode", .card),
        ("emailaddress", .email), ("phonenumber", .phone), ("mobilenumber", .phone), ("ibannumber", .iban),
    ]

    static func kinds(of name: Bytes) -> PersonalKinds {
        guard name.count >= 3, name.count <= 64 else { return [] }
        var letters: [UInt8] = []
        for byte in name where (byte | 32) &- 97 < 26 { letters.append(byte | 32) }
        return letters.withUnsafeBytes { letters in
            for (word, kinds) in whole where letters.equals(word) { return kinds }
            for (word, kinds) in parts where contains(letters, word) { return kinds }
            let lastWord = letters.slice(letters.count - lastWordLength(of: name)..<letters.count)
            for (word, kinds) in last where lastWord.equals(word) { return kinds }
            return []
        }
    }

    /// How many letters the last word has: from a capital behind a small letter on, or from what is no letter.
    private static func lastWordLength(of name: Bytes) -> Int {
        var (length, next) = (0, UInt8(0))
        for byte in name.reversed() {
            guard (byte | 32) &- 97 < 26 else {
                if length > 0 { break }
                continue
            }
            if length > 0, byte &- 97 < 26, next &- 65 < 26 { break }
            (length, next) = (length + 1, byte)
        }
        return length
    }

    private static func contains(_ text: Bytes, _ word: StaticString) -> Bool {
        let length = word.utf8CodeUnitCount
        guard text.count >= length else { return false }
        return (0...text.count - length).contains { text.slice($0..<$0 + length).equals(word) }
    }
}
