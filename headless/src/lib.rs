//! Logs in at IBKR's login page through a real browser, as a person would.
