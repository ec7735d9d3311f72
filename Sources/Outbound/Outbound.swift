// Calls that go out: the address guard, HTTP requests and mail, on libcurl.
