//! Who the account belongs to.

use super::{Out, Page};

pub(super) fn write(page: &Page<'_>, out: &mut Out<'_>) {
    let row = page
        .row("AccountInformation")
        .text("currency", &page.party.currency)
        .text("name", &page.party.name)
        .text("accountType", "Individual")
        .text("customerType", "Individual")
        .text("accountCapabilities", "Portfolio Margin,IBPrime")
        .text("tradingPermissions", "Stocks,Options,Warrants,Forex,Futures")
        .blank(&["registeredRepName", "registeredRepPhone"])
        .date("dateOpened", page.opened)
        .date("dateFunded", page.opened)
        .text("dateClosed", "")
        .text("street", "1 \"Harbour\" <Road> & Söhne")
        .text("street2", "")
        .text("city", "Zürich")
        .text("state", "")
        .text("country", "Switzerland")
        .text("postalCode", "8001")
        .blank(&["masterName"])
        .text("ibEntity", "IBLLC-US")
        .text("primaryEmail", "sim@example.com");
    out.put(&row.done());
}
