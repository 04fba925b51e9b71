"""Each guarantee with the one check taken out that gives it, and the test that turns red then."""
