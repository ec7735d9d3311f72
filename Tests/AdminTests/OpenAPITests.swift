import Dispatch
import Foundations
import Logging
import Testing

@testable import Admin

/// The description is as strict as it says, whatever endpoints there are.
struct OpenAPITests {
    private let endpoints = Endpoints.all(parts, Locked(IdentityNames(Configuration())))
    private let document: JSONValue

    init() throws {
        let endpoint = try #require(endpoints.first { $0.name == "describe" })
        guard case .memory(let work) = endpoint.work else { throw Refusal.notFound }
        document = try JSONValue(parsing: try work(Inquiry()).encoded)
    }

    private func walk(_ value: JSONValue, _ visit: (JSONValue) -> Void) {
        visit(value)
        switch value {
        case .list(let elements): for element in elements { walk(element, visit) }
        case .object(let members): for member in members { walk(member.value, visit) }
        default: break
        }
    }

    @Test func everyEndpointIsDescribedOnce() {
        for endpoint in endpoints {
            let operation = document["paths"]?[endpoint.path]?[endpoint.verb.rawValue.lowercased()]
            #expect(operation?["operationId"] == .text(endpoint.name))
            #expect(operation?["summary"]?.asText?.isEmpty == false)
        }
        #expect(Set(endpoints.map(\.name)).count == endpoints.count)
        #expect(Set(endpoints.map { "\($0.verb) \($0.path)" }).count == endpoints.count)
    }

    @Test func everyParameterOfAPathIsDeclared() {
        for endpoint in endpoints {
            let named = Router.segments(of: endpoint.path).compactMap { segment in
                if case .parameter(let name) = segment { name } else { nil }
            }
            #expect(named == endpoint.parameters.filter { $0.place == .path }.map(\.name), "\(endpoint.path)")
            #expect(Set(endpoint.parameters.map(\.name)).count == endpoint.parameters.count)
        }
    }

    @Test func everyExampleFits() {
        for endpoint in endpoints {
            for parameter in endpoint.parameters {
                #expect(
                    parameter.shape.misfit(parameter.example) == nil, "\(endpoint.path) \(parameter.name)")
            }
        }
    }

    @Test func noObjectIsOpen() {
        walk(document) { value in
            if value["type"] == "object", value["properties"] != nil {
                #expect(value["additionalProperties"] == false, "\(value.encoded)")
            }
        }
    }

    @Test func everyReferenceLeadsSomewhere() {
        var count = 0
        walk(document) { value in
            guard let reference = value["$ref"]?.asText else { return }
            count += 1
            var target: JSONValue? = document
            for step in reference.split(separator: "/").dropFirst() { target = target?[String(step)] }
            #expect(target != nil, "\(reference)")
        }
        #expect(count > 50)
    }

    @Test func everyStatusSaysWhatItMeans() {
        for endpoint in endpoints {
            let operation = document["paths"]?[endpoint.path]?[endpoint.verb.rawValue.lowercased()]
            for status in [endpoint.status, 400, 401, 500, 503] + endpoint.refusals.map(\.key) {
                #expect(operation?["responses"]?["\(status)"] != nil, "\(endpoint.path) \(status)")
            }
            #expect((operation?["responses"]?["403"] != nil) == (endpoint.access == .write))
        }
    }

    /// docs/admin-api.md has each of them, and no other.
    @Test func everyEndpointIsInTheDocumentation() throws {
        let root = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let page = try #require(text(ofFile: "\(root)/docs/admin-api.md"))
        let documented = page.matches(of: /\| `((?:GET|POST|DELETE) \/admin\/[^`]+)` \|/).map { String($0.1) }
        #expect(documented.sorted() == endpoints.map { "\($0.verb.rawValue) \($0.path)" }.sorted())
    }

    @Test func theStatusFitsItsDescription() throws {
        let endpoint = try #require(endpoints.first { $0.name == "getStatus" })
        guard case .memory(let work) = endpoint.work else { throw Refusal.notFound }
        #expect(endpoint.answer.misfit(try JSONValue(parsing: try work(Inquiry()).encoded)) == nil)
    }
}

struct IdentityNamesTests {
    @Test(arguments: [
        ("email", " Ada@Example.ORG", ["ada@example.org", " Ada@Example.ORG"]),
        ("email", "ada@example.org", ["ada@example.org"]), ("email", "no address", ["no address"]),
        ("customer", "A-4711 ", ["A-4711", "A-4711 "]), ("loyalty", "ABC", ["abc", "ABC"]),
        ("phone", "030 1234567", ["+49301234567", "030 1234567"]),
    ])
    func whatIsAskedForIsFoundInItsKeptForm(kind: String, value: String, forms: [String]) {
        var configuration = Configuration()
        configuration.identity.country = "DE"
        configuration.identity.kinds = [IdentityKind("loyalty", form: .lower, several: true)]
        #expect(IdentityNames(configuration).forms(of: value, kind: kind) == forms)
    }
}

struct WorkroomTests {
    @Test func withoutADatabaseEverythingIsRefusedForAWhile() async {
        let room = Workroom(logger: .init(label: "test"))
        let refusal = await withCheckedContinuation { continuation in
            let job = Workroom.Job(
                inquiry: Inquiry(), access: .read, work: { _, _ in .null },
                deliver: { continuation.resume(returning: $0) }, askedAt: Clock.system.monotonic())
            _ = room.take(job)
        }
        guard case .failure(let reason) = refusal else {
            Issue.record("it was done")
            return
        }
        #expect(reason.status == 503)
        #expect(reason.header?.value == "2")
    }

    @Test func onlySoManyMayWait() async {
        let room = Workroom(logger: .init(label: "test"))
        let gate = DispatchSemaphore(value: 0)
        let job = Workroom.Job(
            inquiry: Inquiry(), access: .read, work: { _, _ in .null }, deliver: { _ in gate.wait() },
            askedAt: Clock.system.monotonic())
        var taken = 0
        while taken < 1000, room.take(job) { taken += 1 }
        #expect(taken >= room.terms.mostWaiting)
        #expect(taken <= room.terms.mostWaiting + room.terms.workers)
        for _ in 0..<taken { gate.signal() }
    }
}
