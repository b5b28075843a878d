"""The bodies of requests and answers, by endpoint; every bound is a Field."""
