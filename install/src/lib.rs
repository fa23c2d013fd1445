//! Finds or installs what a managed gateway needs: IBKR's archive and a Java runtime.
