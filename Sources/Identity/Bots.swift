import Foundations

/// The programs that send by themselves: crawlers, previews, monitors, test browsers, libraries.
///
/// This is the kept list. A line is a word of the user agent, in lower case, and the name under which it is counted;
/// the first that is found counts. Whoever calls itself a bot, a crawler or a spider without being listed is one
/// under its own name.
enum Bots {
    /// The name; nil: somebody's browser or app, as far as one can tell.
    static func name(in text: Bytes) -> String? {
        var lower = ByteBuffer(capacity: text.count)
        for byte in text { lower.append(byte &- 65 < 26 ? byte | 32 : byte) }
        let words = lower.bytes
        let isBrowser = words.find("mozilla/") == 0 || words.find("opera/") == 0
        // Nearly everybody stops here.
        if isBrowser, !words.contains(any: hints) { return nil }
        if let known = (isBrowser ? named : named + libraries).first(where: { words.contains($0.word) }) {
            return known.name
        }
        return generic(words, text)
    }

    /// Without one of these, what begins as a browser does is none of the list.
    private static let hints: [StaticString] = [
        "bot", "crawl", "spider", "http:", "https:", "@", "headless", "lighthouse", "preview", "google",
        "yahoo",
        "facebook", "meta-", "phantom", "cypress", "ptst", "gtmetrix", "pingdom", "monitor", "check", "scan",
        "agent/",
        "selenium", "playwright", "puppeteer", "synthetic", "ia_archiver", "inspect", "validator", "archiver",
        "screaming", "skypeuri", "iframely", "prerender", "chatgpt", "claude", "nutch", "catchpoint",
    ]

    /// Whoever says so: `SomeBot/1.0`.
    private static func generic(_ words: Bytes, _ text: Bytes) -> String? {
        for word in ["bot", "crawl", "spider", "scrap"] as [StaticString] {
            var from = 0
            while let found = words.find(word, from: from) {
                let (begin, end) = (start(of: found, words), end(of: found, words))
                let name = words.slice(begin..<end)
                // Cubot makes phones, and a robot cleans a floor.
                if !name.equals("cubot"), name.find("robot") == nil { return text.slice(begin..<end).text }
                from = end
                if from >= words.count { break }
            }
        }
        return nil
    }

    private static func isPart(_ byte: UInt8) -> Bool {
        byte &- 97 < 26 || byte &- 48 < 10 || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
    }

    private static func start(of index: Int, _ words: Bytes) -> Int {
        var at = index
        while at > 0, isPart(words[at - 1]) { at -= 1 }
        return at
    }

    private static func end(of index: Int, _ words: Bytes) -> Int {
        var at = index
        while at < words.count, isPart(words[at]) { at += 1 }
        return at
    }

    typealias Line = (word: StaticString, name: String)

    static let named: [Line] = [
        // Search engines.
        ("adsbot-google", "AdsBot-Google"), ("mediapartners-google", "Mediapartners-Google"),
        ("storebot-google", "Storebot-Google"), ("google-inspectiontool", "Google-InspectionTool"),
        ("googleother", "GoogleOther"), ("google-cloudvertexbot", "Google-CloudVertexBot"),
        ("apis-google", "APIs-Google"), ("feedfetcher-google", "FeedFetcher-Google"),
        ("google-read-aloud", "Google-Read-Aloud"), ("google-site-verification", "Google-Site-Verification"),
        ("google favicon", "Google Favicon"), ("google web preview", "Google Web Preview"),
        ("googleweblight", "GoogleWebLight"), ("googlebot", "Googlebot"), ("bingpreview", "BingPreview"),
        ("adidxbot", "AdIdxBot"), ("bingbot", "Bingbot"), ("msnbot", "MSNBot"),
        ("yandex.com/bots", "YandexBot"),
        ("yandexbot", "YandexBot"), ("baiduspider", "Baiduspider"), ("duckduckbot", "DuckDuckBot"),
        ("duckassistbot", "DuckAssistBot"), ("yahoo! slurp", "Yahoo Slurp"), ("sogou", "Sogou"),
        ("exabot", "Exabot"), ("seznambot", "SeznamBot"), ("qwantbot", "Qwantbot"), ("qwantify", "Qwantbot"),
        ("mojeekbot", "MojeekBot"), ("petalbot", "PetalBot"), ("yeti/", "Naver Yeti"),
        ("coccocbot", "CocCocBot"),
        ("yisouspider", "YisouSpider"), ("360spider", "360Spider"), ("applebot", "Applebot"),
        // Language models.
        ("gptbot", "GPTBot"), ("chatgpt-user", "ChatGPT-User"), ("oai-searchbot", "OAI-SearchBot"),
        ("claudebot", "ClaudeBot"), ("claude-user", "Claude-User"), ("claude-searchbot", "Claude-SearchBot"),
        ("anthropic-ai", "anthropic-ai"), ("perplexitybot", "PerplexityBot"),
        ("perplexity-user", "Perplexity-User"), ("ccbot", "CCBot"), ("bytespider", "Bytespider"),
        ("amazonbot", "Amazonbot"), ("cohere-ai", "cohere-ai"), ("mistralai-user", "MistralAI-User"),
        ("meta-externalagent", "Meta-ExternalAgent"), ("meta-externalfetcher", "Meta-ExternalFetcher"),
        // Previews of links.
        ("facebookexternalhit", "facebookexternalhit"), ("facebookcatalog", "FacebookCatalog"),
        ("facebot", "Facebot"), ("telegrambot", "TelegramBot"), ("twitterbot", "Twitterbot"),
        ("linkedinbot", "LinkedInBot"),
        ("pinterestbot", "Pinterestbot"), ("slackbot", "Slackbot"), ("slack-imgproxy", "Slackbot"),
        ("discordbot", "Discordbot"), ("skypeuripreview", "SkypeUriPreview"),
        ("redditbot", "redditbot"), ("embedly", "Embedly"), ("iframely", "Iframely"), ("vkshare", "vkShare"),
        ("bitlybot", "bitlybot"), ("mastodon", "Mastodon"), ("flipboardproxy", "FlipboardProxy"),
        // Marketing and archives.
        ("ahrefsbot", "AhrefsBot"), ("ahrefssiteaudit", "AhrefsSiteAudit"), ("semrushbot", "SemrushBot"),
        ("siteauditbot", "SemrushBot"), ("mj12bot", "MJ12bot"), ("dotbot", "DotBot"),
        ("rogerbot", "rogerbot"),
        ("dataforseobot", "DataForSeoBot"), ("blexbot", "BLEXBot"), ("serpstatbot", "serpstatbot"),
        ("barkrowler", "Barkrowler"), ("screaming frog", "Screaming Frog"), ("zoominfobot", "ZoominfoBot"),
        ("sistrix", "SISTRIX"), ("ia_archiver", "Internet Archive"), ("archive.org_bot", "Internet Archive"),
        ("nutch", "Apache Nutch"), ("feedly", "Feedly"), ("feedburner", "FeedBurner"),
        // Monitors and checks.
        ("uptimerobot", "UptimeRobot"), ("pingdom", "Pingdom"), ("statuscake", "StatusCake"),
        ("site24x7", "Site24x7"), ("datadogsynthetics", "Datadog Synthetics"),
        ("newrelicpinger", "New Relic"),
        ("better uptime", "Better Uptime"), ("betterstack", "Better Stack"), ("catchpoint", "Catchpoint"),
        ("gtmetrix", "GTmetrix"), ("chrome-lighthouse", "Lighthouse"), ("google page speed", "Lighthouse"),
        ("ptst/", "WebPageTest"), ("w3c_validator", "W3C Validator"), ("checkly", "Checkly"),
        ("netcraft", "Netcraft"), ("censysinspect", "Censys"), ("expanse", "Palo Alto Expanse"),
        ("zgrab", "ZGrab"), ("nuclei", "Nuclei"), ("nikto", "Nikto"), ("sqlmap", "sqlmap"), ("nmap", "Nmap"),
        // Browsers that nobody looks at.
        ("headlesschrome", "HeadlessChrome"), ("phantomjs", "PhantomJS"), ("cypress", "Cypress"),
        ("selenium", "Selenium"), ("playwright", "Playwright"), ("puppeteer", "Puppeteer"),
        ("prerender", "Prerender"),
    ]

    /// Only when it does not call itself a browser.
    static let libraries: [Line] = [
        ("curl/", "curl"), ("wget", "Wget"), ("httpie/", "HTTPie"), ("postmanruntime/", "Postman"),
        ("insomnia/", "Insomnia"), ("python-requests", "python-requests"), ("python-urllib", "python-urllib"),
        ("python-httpx", "python-httpx"), ("aiohttp", "aiohttp"), ("scrapy", "Scrapy"), ("python/", "Python"),
        ("go-http-client", "Go-http-client"), ("apache-httpclient", "Apache-HttpClient"),
        ("java-http-client", "Java"), ("java/", "Java"), ("libwww-perl", "libwww-perl"),
        ("lwp::", "libwww-perl"),
        ("guzzlehttp", "Guzzle"), ("php/", "PHP"), ("ruby", "Ruby"), ("faraday", "Faraday"),
        ("axios/", "axios"),
        ("node-fetch", "node-fetch"), ("undici", "undici"), ("got (", "got"), ("node", "Node.js"),
        ("deno/", "Deno"),
        ("bun/", "Bun"), ("k6/", "k6"), ("jmeter", "JMeter"), ("apachebench", "ApacheBench"), ("wrk", "wrk"),
        ("vegeta", "Vegeta"), ("locust", "Locust"), ("reqwest", "reqwest"), ("powershell", "PowerShell"),
        ("winhttp", "WinHTTP"), ("masscan", "masscan"), ("whatsapp/", "WhatsApp"),
    ]
}
