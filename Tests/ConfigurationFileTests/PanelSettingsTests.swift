import Testing

@testable import ConfigurationFile

struct PanelSettingsTests {
    @Test func aMissingSecretOrAnotherMistakeIsNoHindrance() {
        let settings = PanelSettings(
            text: """
                panel: acme
                timezone: Asia/Kolkata
                primary_key: mobile
                journeys: my/journeys
                database: ${NOT_THERE}
                sauces: []
                """, environment: { _ in nil }, directory: "/srv")
        #expect(settings.panel == "acme")
        #expect(settings.timezone == "Asia/Kolkata")
        #expect(settings.primaryKey == "mobile")
        #expect(settings.journeys == "/srv/my/journeys")
    }

    @Test(arguments: [
        "", "panel: ${NOT_THERE}", "- panel", "panel: [", "timezone: Nowhere/Land", "panel: [a]",
    ])
    func whatIsNotSaidOrCannotBeReadIsNil(text: String) {
        #expect(PanelSettings(text: text, environment: { _ in nil }) == PanelSettings())
    }

    @Test func aFileThatIsNotThereSaysNothing() {
        #expect(PanelSettings(path: "/nowhere/waymark.yaml") == PanelSettings())
    }
}
