/// Every wrong order desk, by its name.
pub const NAMES: [&str; 14] = [
    // What was not answered clearly is sent again under a new id.
    "new-id",
    // "Sending" is journalled only together with the outcome.
    "late-journal",
    // Every refusal is certain, and nothing is looked at.
    "believes-refusals",
    // Of an answer with several rows the first one is the order.
    "first-row",
    // Whether a person must approve is judged when an order is asked for, and not when it is sent.
    "judges-once",
    // A change starts from what was sent, and not from what the broker has.
    "writes-back",
    // An id, or a name, alone makes an order ours: account, contract and side are not compared.
    "id-alone",
    // What follows a declined question does not look for its first try.
    "blind-follower",
    // A question was agreed to if one of its kind was, whatever it says.
    "agrees-by-id",
    // What was told as not placed stays so, whatever the broker shows.
    "sinks",
    // An end that is pushed is final, whatever it leaves out.
    "trusts-pushes",
    // A change that the broker took is done, whatever the order's page shows.
    "believes-changes",
    // A price in hundredths is taken for one in whole units.
    "counts-pence",
    // What closes a position is for what was held when it was asked for.
    "keeps-quantity",
];
