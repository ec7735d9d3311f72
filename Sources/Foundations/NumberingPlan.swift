/// How telephone numbers of a country are dialled from within it.
///
/// A small table of our own (ITU-T E.164 and the national plans): what is needed to make a number complete, not to
/// tell whether it is in use.
package struct NumberingPlan: Sendable, Equatable {
    /// The country's code, without `+`.
    package let code: String
    /// What is dialled before an area code from within the country, and left out from abroad.
    let trunk: String
    /// How many digits a number has without both.
    let lengths: ClosedRange<Int>

    /// By the two letters of ISO 3166, in either case; nil: not in the table.
    package static func of(_ country: String) -> NumberingPlan? { table[country.uppercased()] }

    package static var countries: [String] { table.keys.sorted() }

    /// A number as it is dialled within the country; nil: it fits neither with nor without its code.
    package func international(_ digits: Substring) -> String? {
        if !trunk.isEmpty, digits.hasPrefix(trunk), lengths.contains(digits.count - trunk.count) {
            return "+" + code + digits.dropFirst(trunk.count)
        }
        if lengths.contains(digits.count) { return "+" + code + digits }
        if digits.hasPrefix(code), lengths.contains(digits.count - code.count) { return "+" + digits }
        return nil
    }

    private static let table: [String: NumberingPlan] = {
        var table: [String: NumberingPlan] = [:]
        for line in lines.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count == 5, let low = Int(words[3]), let high = Int(words[4]) else { continue }
            table[String(words[0])] = NumberingPlan(
                code: String(words[1]), trunk: words[2] == "-" ? "" : String(words[2]), lengths: low...high)
        }
        return table
    }()

    /// Country, code, trunk prefix, fewest and most digits of a national number.
    private static let lines = """
        AE 971 0 8 9
        AF 93 0 9 9
        AL 355 0 8 9
        AM 374 0 8 8
        AR 54 0 10 11
        AT 43 0 7 13
        AU 61 0 9 9
        AZ 994 0 9 9
        BA 387 0 8 9
        BD 880 0 8 10
        BE 32 0 8 9
        BG 359 0 8 9
        BH 973 - 8 8
        BO 591 0 8 8
        BR 55 0 10 11
        BY 375 8 9 9
        CA 1 1 10 10
        CH 41 0 9 9
        CL 56 - 9 9
        CN 86 0 10 11
        CO 57 0 8 10
        CR 506 - 8 8
        CU 53 0 7 8
        CY 357 - 8 8
        CZ 420 - 9 9
        DE 49 0 6 12
        DK 45 - 8 8
        DO 1 1 10 10
        DZ 213 0 8 9
        EC 593 0 8 9
        EE 372 - 7 8
        EG 20 0 8 10
        ES 34 - 9 9
        ET 251 0 9 9
        FI 358 0 6 11
        FR 33 0 9 9
        GB 44 0 9 10
        GE 995 0 9 9
        GH 233 0 9 9
        GR 30 - 10 10
        GT 502 - 8 8
        HK 852 - 8 8
        HN 504 - 8 8
        HR 385 0 8 9
        HU 36 06 8 9
        ID 62 0 8 12
        IE 353 0 7 9
        IL 972 0 8 9
        IN 91 0 10 10
        IQ 964 0 9 10
        IR 98 0 10 10
        IS 354 - 7 7
        IT 39 - 6 11
        JM 1 1 10 10
        JO 962 0 8 9
        JP 81 0 9 10
        KE 254 0 9 9
        KH 855 0 8 9
        KR 82 0 8 10
        KW 965 - 8 8
        KZ 7 8 10 10
        LA 856 0 8 10
        LB 961 0 7 8
        LK 94 0 9 9
        LT 370 8 8 8
        LU 352 - 6 9
        LV 371 - 8 8
        LY 218 0 9 9
        MA 212 0 9 9
        MD 373 0 8 8
        ME 382 0 8 9
        MG 261 0 9 9
        MK 389 0 8 8
        MM 95 0 7 10
        MN 976 0 8 8
        MT 356 - 8 8
        MU 230 - 7 8
        MV 960 - 7 7
        MX 52 - 10 10
        MY 60 0 8 10
        MZ 258 - 8 9
        NG 234 0 8 10
        NI 505 - 8 8
        NL 31 0 9 9
        NO 47 - 8 8
        NP 977 0 8 10
        NZ 64 0 8 10
        OM 968 - 8 8
        PA 507 - 7 8
        PE 51 0 8 9
        PH 63 0 8 10
        PK 92 0 9 10
        PL 48 - 9 9
        PR 1 1 10 10
        PT 351 - 9 9
        PY 595 0 8 9
        QA 974 - 8 8
        RO 40 0 9 9
        RS 381 0 8 9
        RU 7 8 10 10
        SA 966 0 8 9
        SE 46 0 7 9
        SG 65 - 8 8
        SI 386 0 8 8
        SK 421 0 9 9
        SN 221 - 9 9
        SV 503 - 8 8
        TH 66 0 8 9
        TN 216 - 8 8
        TR 90 0 10 10
        TT 1 1 10 10
        TW 886 0 8 9
        TZ 255 0 9 9
        UA 380 0 9 9
        UG 256 0 9 9
        US 1 1 10 10
        UY 598 0 7 8
        UZ 998 - 9 9
        VE 58 0 10 10
        VN 84 0 9 10
        ZA 27 0 9 9
        ZM 260 0 9 9
        ZW 263 0 8 10
        """
}
