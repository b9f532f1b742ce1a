"""One test for each rule that the law, or the shop's word, asks of code; named after the rule."""
