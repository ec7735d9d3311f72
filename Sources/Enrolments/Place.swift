import Journeys

/// Where enrolments are numbered: a subject, a journey and a key.
struct Place: Hashable {
    let subject: Subject
    let journey: String
    let key: String

    init(_ subject: Subject, _ journey: String, _ key: String) {
        (self.subject, self.journey, self.key) = (subject, journey, key)
    }

    init(_ enrolment: Enrolment) { self.init(enrolment.subject, enrolment.journey, enrolment.key) }
}
