/// What real clients call themselves, and what is to be understood: `device|os|browser|version|bot ⇥ user agent`.
///
/// The lines are as long as the clients make them.
enum UserAgents {
    static let table = """
        desktop|Windows|Chrome|131| ⇥ Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36
        desktop|Windows|Chrome|49| ⇥ Mozilla/5.0 (Windows NT 5.1) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/49.0.2623.112 Safari/537.36
        desktop|Windows|Chrome|109| ⇥ Mozilla/5.0 (Windows NT 6.1; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/109.0.0.0 Safari/537.36
        desktop|macOS|Chrome|130| ⇥ Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36
        desktop|Linux|Chrome|128| ⇥ Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/128.0.0.0 Safari/537.36
        desktop|ChromeOS|Chrome|127| ⇥ Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/127.0.0.0 Safari/537.36
        desktop|Linux|Chromium|120| ⇥ Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Ubuntu Chromium/120.0.6099.109 Chrome/120.0.6099.109 Safari/537.36
        desktop|Windows|Edge|131| ⇥ Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36 Edg/131.0.2903.51
        desktop|macOS|Edge|129| ⇥ Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/129.0.0.0 Safari/537.36 Edg/129.0.0.0
        desktop|Windows|Edge|18.17763| ⇥ Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/64.0.3282.140 Safari/537.36 Edge/18.17763
        desktop|Windows|Firefox|132| ⇥ Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:132.0) Gecko/20100101 Firefox/132.0
        desktop|macOS|Firefox|115| ⇥ Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:109.0) Gecko/20100101 Firefox/115.0
        desktop|Linux|Firefox|128| ⇥ Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0
        desktop|FreeBSD|Firefox|121| ⇥ Mozilla/5.0 (X11; FreeBSD amd64; rv:121.0) Gecko/20100101 Firefox/121.0
        desktop|Linux|SeaMonkey|2.53| ⇥ Mozilla/5.0 (X11; Linux x86_64; rv:91.0) Gecko/20100101 Firefox/91.0 SeaMonkey/2.53.18
        desktop|macOS|Safari|17.4| ⇥ Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4.1 Safari/605.1.15
        desktop|macOS|Safari|18.1| ⇥ Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15
        desktop|macOS|Safari|14.1| ⇥ Mozilla/5.0 (Macintosh; Intel Mac OS X 10_14_6) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/14.1.2 Safari/605.1.15
        desktop|Windows|Opera|114| ⇥ Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/128.0.0.0 Safari/537.36 OPR/114.0.0.0
        desktop|macOS|Opera|105| ⇥ Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/119.0.0.0 Safari/537.36 OPR/105.0.0.0
        desktop|Windows|Opera|12.16| ⇥ Opera/9.80 (Windows NT 6.1; WOW64) Presto/2.12.388 Version/12.16
        desktop|Windows|Vivaldi|6.9| ⇥ Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/128.0.0.0 Safari/537.36 Vivaldi/6.9.3447.54
        desktop|Windows|Yandex|24.10| ⇥ Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/128.0.0.0 YaBrowser/24.10.0.0 Safari/537.36
        desktop|macOS|DuckDuckGo|17.4| ⇥ Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4.1 Safari/605.1.15 Ddg/17.4.1
        desktop|Windows|Whale|3.28| ⇥ Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/128.0.0.0 Whale/3.28.266.14 Safari/537.36
        desktop|Windows|Cốc Cốc|120| ⇥ Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) coc_coc_browser/120.0.0 Chrome/114.0.0.0 Safari/537.36
        desktop|Windows|QQ Browser|19.2| ⇥ Mozilla/5.0 (Windows NT 10.0; WOW64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/116.0.5845.97 Safari/537.36 QQBrowser/19.2.6473.400
        desktop|Windows|Internet Explorer|11| ⇥ Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko
        desktop|Windows|Internet Explorer|10| ⇥ Mozilla/5.0 (compatible; MSIE 10.0; Windows NT 6.2; Trident/6.0)
        desktop|Windows|Internet Explorer|8| ⇥ Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.1; Trident/4.0)
        desktop|macOS|Electron|28.1| ⇥ Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) MyShop/2.4.0 Chrome/120.0.6099.109 Electron/28.1.0 Safari/537.36
        desktop|Windows|Teams|1.6| ⇥ Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Teams/1.6.00.4472 Chrome/102.0.5005.167 Electron/19.1.8 Safari/537.36
        desktop|macOS|Slack|4.41| ⇥ Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Electron/33.0.0 Safari/537.36 Slack_SSB/4.41.98
        desktop|Linux|GNOME Web|605.1| ⇥ Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.0 Safari/605.1.15 Epiphany/605.1.15
        desktop|Windows|Avast|130| ⇥ Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36 Avast/130.0.0.0
        desktop|Windows|Maxthon|7.1| ⇥ Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/100.0.4896.127 Safari/537.36 Maxthon/7.1.8
        desktop|Windows|UC Browser|7| ⇥ Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/55.0.2883.87 UBrowser/7.0.185.1002 Safari/537.36
        desktop|Windows|Pale Moon|33.4| ⇥ Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:102.0) Gecko/20100101 Goanna/6.7 Firefox/102.0 PaleMoon/33.4.0
        desktop|Windows|Waterfox|91.5| ⇥ Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:91.0) Gecko/20100101 Waterfox/91.5.0
        desktop|OpenBSD|Firefox|115| ⇥ Mozilla/5.0 (X11; OpenBSD amd64; rv:109.0) Gecko/20100101 Firefox/115.0
        phone|iOS|Safari|17.4| ⇥ Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Mobile/15E148 Safari/604.1
        phone|iOS|Safari|18| ⇥ Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1
        phone|iOS|Safari|12.1| ⇥ Mozilla/5.0 (iPhone; CPU iPhone OS 12_5_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.1.2 Mobile/15E148 Safari/604.1
        phone|iOS|Chrome|130| ⇥ Mozilla/5.0 (iPhone; CPU iPhone OS 17_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/130.0.6723.90 Mobile/15E148 Safari/604.1
        phone|iOS|Firefox|132| ⇥ Mozilla/5.0 (iPhone; CPU iPhone OS 17_6_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) FxiOS/132.0 Mobile/15E148 Safari/605.1.15
        phone|iOS|Edge|130| ⇥ Mozilla/5.0 (iPhone; CPU iPhone OS 17_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 EdgiOS/130.0.2849.68 Mobile/15E148 Safari/604.1
        phone|iOS|Opera|5| ⇥ Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1 OPT/5.0.0
        phone|iOS|Opera Mini|16| ⇥ Mozilla/5.0 (iPhone; CPU iPhone OS 14_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) OPiOS/16.0.15.124050 Mobile/15E148 Safari/9537.53
        phone|iOS|DuckDuckGo|17.6| ⇥ Mozilla/5.0 (iPhone; CPU iPhone OS 17_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.6 Mobile/15E148 DuckDuckGo/17.6 Safari/605.1.15
        phone|iOS|Brave|1.70| ⇥ Mozilla/5.0 (iPhone; CPU iPhone OS 17_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.6 Brave/1.70 Mobile/15E148 Safari/604.1
        phone|iOS|Google App|340.3| ⇥ Mozilla/5.0 (iPhone; CPU iPhone OS 17_6_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) GSA/340.3.689937600 Mobile/15E148 Safari/604.1
        phone|iOS|Facebook|489| ⇥ Mozilla/5.0 (iPhone; CPU iPhone OS 17_6_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/21G93 [FBAN/FBIOS;FBAV/489.0.0.34.104;FBBV/650149811;FBDV/iPhone14,5;FBMD/iPhone;FBSN/iOS;FBSV/17.6.1;FBSS/3;FBID/phone;FBLC/en_US;FBOP/5;FBRV/652551290]
        phone|iOS|Messenger|480| ⇥ Mozilla/5.0 (iPhone; CPU iPhone OS 17_6_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/21G93 [FBAN/MessengerForiOS;FBAV/480.0.0.28.107;FBBV/1;FBDV/iPhone14,5]
        phone|iOS|Instagram|352.1| ⇥ Mozilla/5.0 (iPhone; CPU iPhone OS 17_6_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/21G93 Instagram 352.1.0.25.106 (iPhone14,5; iOS 17_6_1; en_US; en; scale=3.00; 1170x2532; 648441331)
        phone|iOS|TikTok|36.5| ⇥ Mozilla/5.0 (iPhone; CPU iPhone OS 17_5_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 musical_ly_36.5.0 JsSdk/2.0 NetType/WIFI Channel/App Store ByteLocale/en Region/US isDarkMode/0 WKWebView/1 BytedanceWebview/d8a21c6 app_version/36.5.0
        phone|iOS|Snapchat|13.12| ⇥ Mozilla/5.0 (iPhone; CPU iPhone OS 17_6_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.6 Mobile/15E148 Snapchat/13.12.0.42 (like Safari/8618.3.11.10.7, panda)
        phone|iOS|Pinterest|| ⇥ Mozilla/5.0 (iPhone; CPU iPhone OS 17_6_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/21G93 [Pinterest/iOS]
        phone|iOS|LinkedIn|9.29| ⇥ Mozilla/5.0 (iPhone; CPU iPhone OS 17_6_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 LinkedInApp/9.29.8962
        phone|iOS|X|10.62| ⇥ Mozilla/5.0 (iPhone; CPU iPhone OS 17_6_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.6 Mobile/21G93 Safari/604.1 Twitter for iPhone/10.62
        phone|iOS|WeChat|8| ⇥ Mozilla/5.0 (iPhone; CPU iPhone OS 17_5_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 MicroMessenger/8.0.50(0x18003237) NetType/WIFI Language/zh_CN
        phone|iOS|LINE|14.16| ⇥ Mozilla/5.0 (iPhone; CPU iPhone OS 17_6_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 Safari Line/14.16.0
        phone|iOS|KakaoTalk|11| ⇥ Mozilla/5.0 (iPhone; CPU iPhone OS 17_6_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 KAKAOTALK 11.0.2
        phone|iOS|iOS WebView|605.1| ⇥ Mozilla/5.0 (iPhone; CPU iPhone OS 17_4_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148
        phone|iOS|MyShop|3.2| ⇥ MyShop/3.2.1 CFNetwork/1494.0.7 Darwin/23.4.0
        desktop|macOS|MyShop|2| ⇥ MyShop/2 CFNetwork/1335.0.3 Darwin/21.6.0 (x86_64)
        phone|iOS|Safari|13| ⇥ Mozilla/5.0 (iPod touch; CPU iPhone OS 12_0 like Mac OS X) AppleWebKit/604.1.34 (KHTML, like Gecko) Version/13.0 Mobile/15A5341f Safari/604.1
        tablet|iPadOS|Safari|16.6| ⇥ Mozilla/5.0 (iPad; CPU OS 16_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.6 Mobile/15E148 Safari/604.1
        tablet|iPadOS|Chrome|129| ⇥ Mozilla/5.0 (iPad; CPU OS 17_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/129.0.6668.69 Mobile/15E148 Safari/604.1
        tablet|iPadOS|Firefox|131| ⇥ Mozilla/5.0 (iPad; CPU OS 17_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) FxiOS/131.0 Mobile/15E148 Safari/605.1.15
        tablet|iPadOS|Facebook|480| ⇥ Mozilla/5.0 (iPad; CPU OS 17_6_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/21G93 [FBAN/FBIOS;FBAV/480.0.0.38.107;FBDV/iPad13,16]
        tablet|iPadOS|iOS WebView|605.1| ⇥ Mozilla/5.0 (iPad; CPU OS 15_8 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148
        phone|Android|Chrome|131| ⇥ Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari/537.36
        phone|Android|Chrome|96| ⇥ Mozilla/5.0 (Linux; Android 11; Redmi Note 9 Pro) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/96.0.4664.45 Mobile Safari/537.36
        phone|Android|Chrome|88| ⇥ Mozilla/5.0 (Linux; Android 9; CUBOT X19) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/88.0.4324.181 Mobile Safari/537.36
        tablet|Android|Chrome|131| ⇥ Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36
        tablet|Android|Chrome|108| ⇥ Mozilla/5.0 (Linux; Android 12; SM-X906C) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/108.0.0.0 Mobile Safari/537.36
        phone|Android|Samsung Internet|26| ⇥ Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/26.0 Chrome/122.0.0.0 Mobile Safari/537.36
        tablet|Android|Samsung Internet|23| ⇥ Mozilla/5.0 (Linux; Android 13; SM-T870) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/23.0 Chrome/115.0.0.0 Safari/537.36
        phone|Android|Edge|130| ⇥ Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Mobile Safari/537.36 EdgA/130.0.0.0
        phone|Android|Opera|85| ⇥ Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/128.0.0.0 Mobile Safari/537.36 OPR/85.0.0.0
        phone|Android|Opera Mini|82| ⇥ Opera/9.80 (Android; Opera Mini/82.0.2254/191.319; U; en) Presto/2.12.423 Version/12.16
        phone|Android|Firefox|132| ⇥ Mozilla/5.0 (Android 14; Mobile; rv:132.0) Gecko/132.0 Firefox/132.0
        tablet|Android|Firefox|132| ⇥ Mozilla/5.0 (Android 14; Tablet; rv:132.0) Gecko/132.0 Firefox/132.0
        phone|Android|Firefox Focus|125| ⇥ Mozilla/5.0 (Linux; Android 13; Pixel 6) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Focus/125.0 Chrome/124.0.6367.82 Mobile Safari/537.36
        phone|Android|DuckDuckGo|5| ⇥ Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/130.0.6723.58 Mobile DuckDuckGo/5 Safari/537.36
        phone|Android|Mi Browser|14.20| ⇥ Mozilla/5.0 (Linux; U; Android 13; en-us; 2201117TG Build/TKQ1) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/112.0.5615.136 Mobile Safari/537.36 XiaoMi/MiuiBrowser/14.20.0-gn
        phone|Android|Huawei Browser|14| ⇥ Mozilla/5.0 (Linux; Android 10; ELS-NX9; HMSCore 6.12.0.302) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/114.0.5735.196 HuaweiBrowser/14.0.3.311 Mobile Safari/537.36
        phone|HarmonyOS|Huawei Browser|15| ⇥ Mozilla/5.0 (Linux; Android 12; HarmonyOS; NOH-AN00; HMSCore 6.14.0.302) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/114.0.5735.196 HuaweiBrowser/15.0.4.312 Mobile Safari/537.36
        phone|Android|HeyTap|40.8| ⇥ Mozilla/5.0 (Linux; U; Android 12; en-us; CPH2211) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/90.0.4430.61 Mobile Safari/537.36 HeyTapBrowser/40.8.4.1
        phone|Android|Vivo Browser|10.5| ⇥ Mozilla/5.0 (Linux; Android 12; V2111) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/87.0.4280.141 Mobile Safari/537.36 VivoBrowser/10.5.0.0
        phone|Android|UC Browser|13.4| ⇥ Mozilla/5.0 (Linux; U; Android 11; en-US; M2101K7AG) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/78.0.3904.108 UCBrowser/13.4.0.1306 Mobile Safari/537.36
        phone|Android|QQ Browser|14| ⇥ Mozilla/5.0 (Linux; U; Android 12; zh-cn; PFJM10) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/98.0.4758.102 MQQBrowser/14.0 Mobile Safari/537.36
        phone|Android|Yandex|24.9| ⇥ Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/128.0.0.0 YaBrowser/24.9.1 Mobile Safari/537.36
        phone|Android|Vivaldi|6.9| ⇥ Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/128.0.0.0 Mobile Safari/537.36 Vivaldi/6.9.3451.95
        phone|Android|Whale|3.4| ⇥ Mozilla/5.0 (Linux; Android 13; SM-S908N) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Whale/3.4.2.2 Mobile Safari/537.36
        phone|Android|Android WebView|130| ⇥ Mozilla/5.0 (Linux; Android 14; Pixel 8 Build/AP2A.240805.005; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/130.0.6723.58 Mobile Safari/537.36
        phone|Android|Android Browser|4| ⇥ Mozilla/5.0 (Linux; U; Android 4.3; de-de; GT-I9300 Build/JSS15J) AppleWebKit/534.30 (KHTML, like Gecko) Version/4.0 Mobile Safari/534.30
        phone|Android|Facebook|490| ⇥ Mozilla/5.0 (Linux; Android 14; SM-S918B Build/UP1A.231005.007; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/130.0.6723.58 Mobile Safari/537.36 [FB_IAB/FB4A;FBAV/490.0.0.63.82;]
        phone|Android|Messenger|480| ⇥ Mozilla/5.0 (Linux; Android 13; SM-A536B Build/TP1A.220624.014; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/129.0.6668.100 Mobile Safari/537.36 [FB_IAB/MESSENGER;FBAV/480.0.0.28.107;]
        phone|Android|Instagram|352| ⇥ Mozilla/5.0 (Linux; Android 14; SM-G991B Build/UP1A.231005.007; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/130.0.6723.58 Mobile Safari/537.36 Instagram 352.0.0.38.108 Android (34/14; 480dpi; 1080x2177; samsung; SM-G991B; o1s; exynos2100; de_DE; 649099803)
        phone|Android|TikTok|36.7| ⇥ Mozilla/5.0 (Linux; Android 14; SM-A546B Build/UP1A; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/130.0.6723.58 Mobile Safari/537.36 trill_2023607040 JsSdk/1.0 NetType/WIFI Channel/googleplay AppName/trill app_version/36.7.4 ByteLocale/en
        phone|Android|Snapchat|13.13| ⇥ Mozilla/5.0 (Linux; Android 14; Pixel 7 Build/AP1A; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/130.0.6723.58 Mobile Safari/537.36Snapchat/13.13.0.37 (Pixel 7; Android 14#12300000#34; gzip; )
        phone|Android|WeChat|8| ⇥ Mozilla/5.0 (Linux; Android 13; M2012K11AC Build/TKQ1; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/116.0.0.0 Mobile Safari/537.36 XWEB/1160065 MMWEBSDK/20231202 MicroMessenger/8.0.47.2560(0x28002F35) WeChat/arm64 Weixin NetType/WIFI Language/zh_CN ABI/arm64
        phone|Android|LinkedIn|| ⇥ Mozilla/5.0 (Linux; Android 14; SM-S911B Build/UP1A; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/130.0.6723.58 Mobile Safari/537.36 [LinkedInApp]
        phone|Android|X|| ⇥ Mozilla/5.0 (Linux; Android 14; SM-S911B Build/UP1A; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/130.0.6723.58 Mobile Safari/537.36 TwitterAndroid
        phone|Android|Google App|15.44| ⇥ Mozilla/5.0 (Linux; Android 14; Pixel 8 Build/AP2A; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/130.0.6723.58 Mobile Safari/537.36 GSA/15.44.32.28.arm64
        phone|Android|KakaoTalk|11| ⇥ Mozilla/5.0 (Linux; Android 13; SM-S901N Build/TP1A; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/118.0.0.0 Mobile Safari/537.36;KAKAOTALK 11.0.1
        phone|Android|Naver|| ⇥ Mozilla/5.0 (Linux; Android 13; SM-G998N Build/TP1A; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/118.0.0.0 Mobile Safari/537.36 NAVER(inapp; search; 1230; 12.3.2)
        phone|Android|Baidu|13.60| ⇥ Mozilla/5.0 (Linux; Android 12; V2134A Build/SP1A; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/97.0.4692.98 Mobile Safari/537.36 T7/13.60 baiduboxapp/13.60.0.10 (Baidu; P1 12)
        phone|Android|Android app|| ⇥ Dalvik/2.1.0 (Linux; U; Android 13; SM-A525F Build/TP1A.220624.014)
        phone|Android|okhttp|4.12| ⇥ okhttp/4.12.0
        ||Dart|3.3| ⇥ Dart/3.3 (dart:io)
        tablet|Android|Silk|108.4| ⇥ Mozilla/5.0 (Linux; Android 9; KFMAWI) AppleWebKit/537.36 (KHTML, like Gecko) Silk/108.4.6 like Chrome/108.0.5359.160 Safari/537.36
        phone|KaiOS|Firefox|48| ⇥ Mozilla/5.0 (Mobile; Nokia 8110 4G; rv:48.0) Gecko/48.0 Firefox/48.0 KAIOS/2.5
        phone|Windows Phone|Edge|15.15063| ⇥ Mozilla/5.0 (Windows Phone 10.0; Android 6.0.1; Microsoft; Lumia 950) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/52.0.2743.116 Mobile Safari/537.36 Edge/15.15063
        phone|Java ME|Opera Mini|8| ⇥ Opera/9.80 (J2ME/MIDP; Opera Mini/8.0.35158/36.2534; U; en) Presto/2.12.423 Version/12.16
        tv|Tizen|Samsung Internet|2.2| ⇥ Mozilla/5.0 (SMART-TV; Linux; Tizen 5.0) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/2.2 Chrome/63.0.3239.84 TV Safari/537.36
        tv|webOS|Chrome|79| ⇥ Mozilla/5.0 (Web0S; Linux/SmartTV) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/79.0.3945.79 Safari/537.36 WebAppManager
        tv|Linux|Chrome|90| ⇥ Mozilla/5.0 (X11; Linux armv7l) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/90.0.4430.225 Safari/537.36 CrKey/1.56.500000
        tv|Android|Chrome|88| ⇥ Mozilla/5.0 (Linux; Android 9; BRAVIA 4K GB) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/88.0.4324.152 Safari/537.36
        tv|Android|Silk|98.6| ⇥ Mozilla/5.0 (Linux; Android 7.1.2; AFTMM Build/NS6271) AppleWebKit/537.36 (KHTML, like Gecko) Silk/98.6.10 like Chrome/98.0.4758.136 Safari/537.36
        tv|Roku||| ⇥ Roku/DVP-12.5 (12.5.0.4178-88)
        console|PlayStation|Safari|13| ⇥ Mozilla/5.0 (PlayStation; PlayStation 5/2.26) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/13.0 Safari/605.1.15
        console|Xbox|Edge|44.18363| ⇥ Mozilla/5.0 (Windows NT 10.0; Win64; x64; Xbox; Xbox One) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/70.0.3538.102 Safari/537.36 Edge/44.18363.8131
        console|Nintendo||| ⇥ Mozilla/5.0 (Nintendo Switch; WifiWebAuthApplet) AppleWebKit/606.4 (KHTML, like Gecko) NF/6.0.1.15.4 NintendoBrowser/5.1.0.20393
        ||||Googlebot ⇥ Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)
        ||||Googlebot ⇥ Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.6723.58 Mobile Safari/537.36 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)
        ||||AdsBot-Google ⇥ AdsBot-Google (+http://www.google.com/adsbot.html)
        ||||Mediapartners-Google ⇥ Mediapartners-Google
        ||||Google-InspectionTool ⇥ Mozilla/5.0 (compatible; Google-InspectionTool/1.0;)
        ||||GoogleOther ⇥ GoogleOther
        ||||Bingbot ⇥ Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm) Chrome/116.0.1938.76 Safari/537.36
        ||||BingPreview ⇥ Mozilla/5.0 (Windows NT 6.1; WOW64) AppleWebKit/534+ (KHTML, like Gecko) BingPreview/1.0b
        ||||YandexBot ⇥ Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)
        ||||Baiduspider ⇥ Mozilla/5.0 (compatible; Baiduspider/2.0; +http://www.baidu.com/search/spider.html)
        ||||DuckDuckBot ⇥ DuckDuckBot/1.1; (+http://duckduckgo.com/duckduckbot.html)
        ||||Yahoo Slurp ⇥ Mozilla/5.0 (compatible; Yahoo! Slurp; http://help.yahoo.com/help/us/ysearch/slurp)
        ||||Applebot ⇥ Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Safari/605.1.15 (Applebot/0.1; +http://www.apple.com/go/applebot)
        ||||facebookexternalhit ⇥ facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)
        ||||Twitterbot ⇥ Twitterbot/1.0
        ||||LinkedInBot ⇥ LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)
        ||||Slackbot ⇥ Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)
        ||||Discordbot ⇥ Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)
        ||||TelegramBot ⇥ TelegramBot (like TwitterBot)
        ||||WhatsApp ⇥ WhatsApp/2.23.20.0
        ||||GPTBot ⇥ Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)
        ||||ChatGPT-User ⇥ Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko); compatible; ChatGPT-User/1.0; +https://openai.com/bot
        ||||ClaudeBot ⇥ Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; ClaudeBot/1.0; +claudebot@anthropic.com)
        ||||PerplexityBot ⇥ Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; PerplexityBot/1.0; +https://perplexity.ai/perplexitybot)
        ||||Bytespider ⇥ Mozilla/5.0 (Linux; Android 5.0) AppleWebKit/537.36 (KHTML, like Gecko) Mobile Safari/537.36 (compatible; Bytespider; spider-feedback@bytedance.com)
        ||||Amazonbot ⇥ Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; Amazonbot/0.1; +https://developer.amazon.com/support/amazonbot) Chrome/119.0.6045.214 Safari/537.36
        ||||AhrefsBot ⇥ Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)
        ||||SemrushBot ⇥ Mozilla/5.0 (compatible; SemrushBot/7~bl; +http://www.semrush.com/bot.html)
        ||||MJ12bot ⇥ Mozilla/5.0 (compatible; MJ12bot/v1.4.8; http://mj12bot.com/)
        ||||PetalBot ⇥ Mozilla/5.0 (compatible;PetalBot;+https://webmaster.petalsearch.com/site/petalbot)
        ||||UptimeRobot ⇥ Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)
        ||||Pingdom ⇥ Pingdom.com_bot_version_1.4_(http://www.pingdom.com/)
        ||||Lighthouse ⇥ Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/109.0.0.0 Safari/537.36 Chrome-Lighthouse
        ||||HeadlessChrome ⇥ Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/130.0.0.0 Safari/537.36
        ||||WebPageTest ⇥ Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36 PTST/241101.173424
        ||||Datadog Synthetics ⇥ Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 DatadogSynthetics
        ||||Screaming Frog ⇥ Screaming Frog SEO Spider/20.1
        ||||PhantomJS ⇥ Mozilla/5.0 (Unknown; Linux x86_64) AppleWebKit/538.1 (KHTML, like Gecko) PhantomJS/2.1.1 Safari/538.1
        ||||curl ⇥ curl/8.5.0
        ||||Wget ⇥ Wget/1.21.4
        ||||python-requests ⇥ python-requests/2.32.3
        ||||Go-http-client ⇥ Go-http-client/1.1
        ||||Apache-HttpClient ⇥ Apache-HttpClient/4.5.14 (Java/17.0.8)
        ||||Postman ⇥ PostmanRuntime/7.42.0
        ||||axios ⇥ axios/1.7.7
        ||||Guzzle ⇥ GuzzleHttp/7
        ||||Java ⇥ Java/17.0.8
        ||||aiohttp ⇥ Python/3.11 aiohttp/3.9.1
        ||||k6 ⇥ k6/0.54.0 (https://k6.io/)
        ||||SomeShopBot ⇥ SomeShopBot/1.0
        ||||price-crawler ⇥ Mozilla/5.0 (compatible; price-crawler/2.0; +https://prices.example)
        |||| ⇥ 
        |||| ⇥ x
        |||| ⇥ ��
        """
}
