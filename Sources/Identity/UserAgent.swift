import Foundations

/// What a client runs on, as its `User-Agent` header says it: device, system, browser; or which program it is.
///
/// It looks for words, in an order that knows who imitates whom: Edge says it is Chrome, Chrome that it is Safari,
/// and everything that it is Mozilla. What it does not know stays nil rather than guessed.
package struct UserAgent: Equatable, Sendable {
    package enum Device: String, Sendable { case desktop, phone, tablet, tv, console, watch }

    package private(set) var device: Device?
    package private(set) var os: String?
    package private(set) var browser: String?
    /// Major and minor version; a minor 0 is left out.
    package private(set) var version: String?
    /// The program's name when no person sits before it; then all else is nil.
    package private(set) var bot: String?

    package init(_ text: Bytes) {
        guard text.count > 0 else { return }
        bot = Bots.name(in: text)
        if bot != nil { return }
        os = Self.systems.first { text.contains(any: $0.words) }?.name
        (browser, version) = Self.browser(text)
        device = Self.device(text)
        if text.contains("CFNetwork/") { takeApp(text) }
    }

    /// An app of Apple's systems says its own name first, and nothing else that we know.
    private mutating func takeApp(_ text: Bytes) {
        let name = text.prefix { $0 != UInt8(ascii: "/") && $0 != 32 }
        browser = name.isEmpty ? nil : Bytes(rebasing: name).text
        version = text.version(after: "/")
        let isMac = text.contains("x86_64") || text.contains("Macintosh")
        (os, device) = isMac ? ("macOS", .desktop) : (os ?? "iOS", device ?? .phone)
    }

    // MARK: Browser

    private static func browser(_ text: Bytes) -> (String?, String?) {
        for browser in browsers where text.contains(browser.word) {
            guard browser.unless.map({ !text.contains($0) }) ?? true else { continue }
            return (browser.name, text.version(after: browser.version ?? browser.word))
        }
        if text.contains("Android"), text.contains("; wv)") || text.contains("Version/4.0 Chrome/") {
            return ("Android WebView", text.version(after: "Chrome/"))
        }
        if text.contains("Chrome/") { return ("Chrome", text.version(after: "Chrome/")) }
        if text.contains("Android"), text.contains("Version/") {
            return ("Android Browser", text.version(after: "Version/"))
        }
        if text.contains("Version/"), text.contains("Safari/") {
            return ("Safari", text.version(after: "Version/"))
        }
        if text.contains("AppleWebKit/"), text.contains("Mobile/") {
            return ("iOS WebView", text.version(after: "AppleWebKit/"))
        }
        return (nil, nil)
    }

    private struct Browser {
        let word: StaticString
        let name: String
        /// Behind what its version stands, if not behind the word.
        var version: StaticString?
        var unless: StaticString?

        init(
            _ word: StaticString, _ name: String, _ version: StaticString? = nil, unless: StaticString? = nil
        ) {
            (self.word, self.name, self.version, self.unless) = (word, name, version, unless)
        }
    }

    /// In this order: who imitates comes before who is imitated.
    private static let browsers = [
        // Apps that show pages by themselves.
        Browser("FBAN/Messenger", "Messenger", "FBAV/"), Browser("FB_IAB/MESSENGER", "Messenger", "FBAV/"),
        Browser("Instagram ", "Instagram"), Browser("Barcelona ", "Threads"),
        Browser("FBAN/", "Facebook", "FBAV/"), Browser("FBAV/", "Facebook"),
        Browser("FB_IAB/", "Facebook", "FBAV/"),
        Browser("MicroMessenger/", "WeChat"), Browser("musical_ly", "TikTok", "app_version/"),
        Browser("BytedanceWebview", "TikTok", "app_version/"), Browser("trill_", "TikTok", "app_version/"),
        Browser("TikTok ", "TikTok"), Browser("Snapchat/", "Snapchat"), Browser("Snapchat ", "Snapchat"),
        Browser("[Pinterest/", "Pinterest"), Browser("LinkedInApp", "LinkedIn", "LinkedInApp/"),
        Browser("Twitter for ", "X", "Twitter for iPhone/"),
        Browser("TwitterAndroid", "X", "TwitterAndroid/"),
        Browser("KAKAOTALK", "KakaoTalk", "KAKAOTALK "), Browser(" Line/", "LINE"),
        Browser("GSA/", "Google App"),
        Browser("NAVER(", "Naver"), Browser("AlipayClient/", "Alipay"), Browser("WhatsApp/", "WhatsApp"),
        Browser("Teams/", "Teams"), Browser("Slack/", "Slack"), Browser("Slack_SSB/", "Slack"),
        Browser("Electron/", "Electron"),
        // Browsers that call themselves Chrome or Safari as well.
        Browser("EdgA/", "Edge"), Browser("EdgiOS/", "Edge"), Browser("Edg/", "Edge"),
        Browser("Edge/", "Edge"),
        Browser("OPR/", "Opera"), Browser("OPT/", "Opera"), Browser("OPX/", "Opera"),
        Browser("OPiOS/", "Opera Mini"),
        Browser("Opera Mini/", "Opera Mini"), Browser("Opera Mobi", "Opera", "Version/"),
        Browser("Opera/", "Opera", "Version/"), Browser("SamsungBrowser/", "Samsung Internet"),
        Browser("YaBrowser/", "Yandex"), Browser("YaSearchBrowser/", "Yandex"),
        Browser("Vivaldi/", "Vivaldi"),
        Browser("Brave/", "Brave"), Browser("Ddg/", "DuckDuckGo"), Browser("DuckDuckGo/", "DuckDuckGo"),
        Browser("Whale/", "Whale"), Browser("UCBrowser/", "UC Browser"), Browser("UBrowser/", "UC Browser"),
        Browser("MiuiBrowser/", "Mi Browser"), Browser("HuaweiBrowser/", "Huawei Browser"),
        Browser("HeyTapBrowser/", "HeyTap"), Browser("VivoBrowser/", "Vivo Browser"),
        Browser("MQQBrowser/", "QQ Browser"), Browser("QQBrowser/", "QQ Browser"), Browser("Silk/", "Silk"),
        Browser("coc_coc_browser/", "Cốc Cốc"), Browser("Puffin/", "Puffin"), Browser("Maxthon/", "Maxthon"),
        Browser("Sleipnir/", "Sleipnir"), Browser("Ecosia", "Ecosia", "@"),
        Browser("AvastSecureBrowser/", "Avast"),
        Browser("Avast/", "Avast"), Browser("AVG/", "AVG"), Browser("Iron/", "Iron"),
        Browser("Falkon/", "Falkon"),
        Browser("Epiphany/", "GNOME Web"), Browser("Konqueror/", "Konqueror"),
        Browser("QtWebEngine/", "QtWebEngine"),
        Browser("Quark/", "Quark"), Browser("baiduboxapp/", "Baidu"), Browser("BIDUBrowser/", "Baidu"),
        Browser("Kiwi/", "Kiwi"), Browser("Aloha", "Aloha", "AlohaBrowser/"),
        Browser("Focus/", "Firefox Focus"),
        Browser("Klar/", "Firefox Focus"), Browser("CriOS/", "Chrome"), Browser("FxiOS/", "Firefox"),
        Browser("SeaMonkey/", "SeaMonkey"), Browser("PaleMoon/", "Pale Moon"),
        Browser("Waterfox/", "Waterfox"),
        Browser("Firefox/", "Firefox"), Browser("Trident/", "Internet Explorer", "rv:", unless: "MSIE "),
        Browser("MSIE ", "Internet Explorer"), Browser("Chromium/", "Chromium"),
        // Programs of phones that are no browsers.
        Browser("okhttp/", "okhttp"), Browser("Dalvik/", "Android app", "\u{0}"), Browser("Dart/", "Dart"),
    ]

    // MARK: System

    private static let systems: [(name: String, words: [StaticString])] = [
        ("Xbox", ["Xbox"]), ("PlayStation", ["PlayStation"]), ("Nintendo", ["Nintendo"]),
        ("Windows Phone", ["Windows Phone", "IEMobile"]), ("webOS", ["Web0S", "webOS", "NetCast"]),
        ("Tizen", ["Tizen"]), ("KaiOS", ["KAIOS"]), ("tvOS", ["AppleTV", "Apple TV", "tvOS"]),
        ("watchOS", ["watchOS", "Apple Watch"]), ("Roku", ["Roku"]),
        ("HarmonyOS", ["HarmonyOS", "OpenHarmony"]), ("iPadOS", ["iPad"]),
        ("iOS", ["iPhone", "iPod", "iOS"]),
        ("Android", ["Android", "okhttp/"]), ("Windows", ["Windows"]), ("ChromeOS", ["CrOS"]),
        ("macOS", ["Macintosh", "Mac OS X", "macOS"]), ("BlackBerry", ["BB10", "BlackBerry"]),
        ("FreeBSD", ["FreeBSD"]), ("OpenBSD", ["OpenBSD"]), ("Linux", ["Linux", "X11"]),
        ("Java ME", ["J2ME/MIDP"]),
    ]

    // MARK: Device

    private static let devices: [(device: Device, words: [StaticString])] = [
        (.console, ["PlayStation", "Xbox", "Nintendo"]),
        (.watch, ["Apple Watch", "watchOS", "SM-R8", "Wear OS"]),
        (
            .tv,
            [
                "SmartTV", "SMART-TV", "Smart-TV", "Smart TV", "SmartHub", "HbbTV", "Web0S", "NetCast",
                "AppleTV",
                "Apple TV", "tvOS", "CrKey", "GoogleTV", "Google TV", "Android TV", "AndroidTV", "BRAVIA",
                "Roku",
                "; AFT", "TV Safari", "MiTV", "MIBOX", "SHIELD Android TV", "Philips TV", "Opera TV",
            ]
        ),
        (
            .tablet,
            [
                "iPad", "Tablet", "tablet", "Kindle", "PlayBook", "; KF", "SM-T", "SM-X", "Nexus 7",
                "Nexus 10", "Lenovo TB",
            ]
        ),
        (
            .phone,
            [
                "iPhone", "iPod", "Mobile", "Windows Phone", "Opera Mini", "Opera Mobi", "KAIOS", "Dalvik/",
                "okhttp/",
            ]
        ),
        // Without the word Mobile it is a tablet, say the makers of Android.
        (.tablet, ["Android"]),
        (.desktop, ["Windows NT", "Macintosh", "CrOS", "X11", "Linux", "FreeBSD", "OpenBSD", "Windows"]),
    ]

    private static func device(_ text: Bytes) -> Device? {
        devices.first { text.contains(any: $0.words) }?.device
    }
}
