"""Customer accounts: who a shopper is once they have signed in."""
