//! The rules by which the numbers of a statement agree with each other.

use std::collections::BTreeMap;

use super::xml::{Element, elements, times};

/// What products with a rate may differ by, in units of the twelfth place.
const NEAR: i128 = 1_000_000;
/// Parts of the change in cash.
const CASH: [&str; 14] = [
    "commissions",
    "deposits",
    "withdrawals",
    "dividends",
    "paymentInLieu",
    "brokerInterest",
    "cashSettlingMtm",
    "netTradesSales",
    "netTradesPurchases",
    "withholdingTax",
    "transactionTax",
    "otherFees",
    "other",
    "fxTranslationGainLoss",
];
/// What sums of executions must agree in.
const SUMS: [&str; 9] = [
    "quantity",
    "tradeMoney",
    "proceeds",
    "taxes",
    "ibCommission",
    "netCash",
    "cost",
    "fifoPnlRealized",
    "mtmPnl",
];
/// Attributes of the change in value that are no part of it.
const NOT_A_PART: [&str; 9] = [
    "accountId",
    "acctAlias",
    "model",
    "currency",
    "fromDate",
    "toDate",
    "startingValue",
    "endingValue",
    "twr",
];

/// One `FlexStatement`.
pub(super) struct Books(Vec<Element>);

impl Books {
    /// All statements of a document.
    pub(super) fn all(text: &str) -> Vec<Self> {
        let mut all: Vec<Self> = Vec::new();
        let mut count = None;
        for element in elements(text) {
            match element.tag.as_str() {
                "FlexStatements" => count = Some(element.get("count").parse::<usize>().unwrap()),
                "FlexStatement" => all.push(Self(vec![element])),
                _ => {
                    if let Some(last) = all.last_mut() {
                        last.0.push(element);
                    }
                }
            }
        }
        assert_eq!(count, Some(all.len()));
        all
    }

    pub(super) fn head(&self) -> &Element {
        &self.0[0]
    }

    pub(super) fn of(&self, tag: &str) -> impl Iterator<Item = &Element> {
        self.0.iter().filter(move |element| element.tag == tag)
    }

    pub(super) fn one(&self, tag: &str) -> &Element {
        self.of(tag).next().unwrap_or_else(|| panic!("no {tag}"))
    }

    /// All rules; the statement must have all sections and the levels that are summed.
    pub(super) fn check(&self) {
        self.check_value();
        self.check_cash();
        self.check_trades();
        self.check_levels();
        self.check_gains();
        self.check_payments();
        self.check_funds();
    }

    fn check_value(&self) {
        let nav = self.one("ChangeInNAV");
        let parts: i128 =
            nav.names().filter(|name| !NOT_A_PART.contains(name)).map(|name| nav.num(name)).sum();
        assert_eq!(nav.num("startingValue") + parts, nav.num("endingValue"));
        let mut last = 0;
        for day in self.of("EquitySummaryByReportDateInBase") {
            let parts = ["cash", "stock", "options", "interestAccruals", "dividendAccruals"];
            assert_eq!(day.sum(&parts), day.num("total"), "{day:?}");
            assert_eq!(day.sum(&["totalLong", "totalShort"]), day.num("total"));
            last = day.num("total");
        }
        assert_eq!(last, nav.num("endingValue"));
    }

    fn check_cash(&self) {
        for purse in self.of("CashReportCurrency") {
            let end = purse.num("startingCash") + purse.sum(&CASH);
            assert_eq!(end, purse.num("endingCash"), "{purse:?}");
        }
    }

    fn check_trades(&self) {
        for trade in self.of("Trade") {
            let units = times(trade.num("quantity"), trade.num("multiplier"));
            assert_eq!(times(units, trade.num("tradePrice")), trade.num("tradeMoney"));
            assert_eq!(-trade.num("tradeMoney"), trade.num("proceeds"));
            let costs = trade.sum(&["ibCommission", "taxes"]);
            let net = match trade.get("assetCategory") {
                "CASH" => 0,
                "FUT" => costs,
                _ => costs + trade.num("proceeds"),
            };
            assert_eq!(net, trade.num("netCash"), "{trade:?}");
            if trade.get("assetCategory") != "CASH" {
                let gain = trade.sum(&["proceeds", "cost"]) + costs;
                assert_eq!(gain, trade.num("fifoPnlRealized"), "{trade:?}");
            }
        }
    }

    /// Orders, lots and summaries are sums of executions.
    fn check_levels(&self) {
        let mut orders: BTreeMap<_, Vec<i128>> = BTreeMap::new();
        let mut symbols: BTreeMap<_, Vec<i128>> = BTreeMap::new();
        let mut gains: BTreeMap<&str, i128> = BTreeMap::new();
        for trade in self.of("Trade") {
            let sums = SUMS.map(|name| trade.num(name));
            let order = (trade.get("ibOrderID"), trade.get("conid"), trade.get("tradeDate"));
            add(orders.entry(order).or_insert_with(|| vec![0; SUMS.len()]), &sums);
            add(symbols.entry(trade.get("conid")).or_insert_with(|| vec![0; SUMS.len()]), &sums);
            *gains.entry(trade.get("tradeID")).or_default() += trade.num("fifoPnlRealized");
        }
        assert_eq!(self.of("Order").count(), orders.len());
        for order in self.of("Order") {
            let key = (order.get("ibOrderID"), order.get("conid"), order.get("tradeDate"));
            assert_eq!(orders[&key], SUMS.map(|name| order.num(name)), "{order:?}");
        }
        assert_eq!(self.of("SymbolSummary").count(), symbols.len());
        for symbol in self.of("SymbolSummary") {
            assert_eq!(symbols[symbol.get("conid")], SUMS.map(|name| symbol.num(name)));
        }
        for lot in self.of("Lot") {
            *gains.get_mut(lot.get("tradeID")).unwrap() -= lot.num("fifoPnlRealized");
        }
        assert!(gains.values().all(|left| *left == 0), "{gains:?}");
    }

    /// The summaries are what trades, corporate actions and positions say.
    fn check_gains(&self) {
        let mut realized: BTreeMap<&str, i128> = BTreeMap::new();
        for trade in self.of("Trade").chain(self.of("CorporateAction")) {
            let gain = times(trade.num("fifoPnlRealized"), trade.num("fxRateToBase"));
            *realized.entry(trade.get("conid")).or_default() += gain;
        }
        let mut open: BTreeMap<&str, i128> = BTreeMap::new();
        for held in self.of("OpenPosition").filter(|held| held.get("levelOfDetail") == "SUMMARY") {
            let gain = held.num("positionValue") - held.num("costBasisMoney");
            assert_eq!(gain, held.num("fifoPnlUnrealized"));
            open.insert(held.get("conid"), times(gain, held.num("fxRateToBase")));
        }
        for of in self.of("FIFOPerformanceSummaryUnderlying") {
            let conid = of.get("conid");
            near(of.num("totalRealizedPnl"), realized.remove(conid).unwrap_or_default());
            near(of.num("totalUnrealizedPnl"), open.remove(conid).unwrap_or_default());
        }
        assert!(open.is_empty() && realized.values().all(|gain| *gain == 0));
        let nav = self.one("ChangeInNAV");
        let rows = || self.of("MTMPerformanceSummaryUnderlying");
        let market = |row: &Element| row.sum(&["transactionMtm", "priorOpenMtm"]);
        let (fx, other): (Vec<_>, Vec<_>) = rows().partition(|r| r.get("assetCategory") == "CASH");
        assert_eq!(other.into_iter().map(market).sum::<i128>(), nav.num("mtm"));
        assert_eq!(fx.into_iter().map(market).sum::<i128>(), nav.num("netFxTrading"));
        assert_eq!(rows().map(|r| r.num("commissions")).sum::<i128>(), nav.num("commissions"));
    }

    fn check_payments(&self) {
        let nav = self.one("ChangeInNAV");
        for (types, name) in [
            (&["Dividends", "Payment In Lieu Of Dividends"][..], "dividends"),
            (&["Withholding Tax"], "withholdingTax"),
            (&["Broker Interest Received", "Broker Interest Paid"], "interest"),
            (&["Other Fees"], "otherFees"),
            (&["Deposits/Withdrawals"], "depositsWithdrawals"),
        ] {
            let rows = self.of("CashTransaction").filter(|row| types.contains(&row.get("type")));
            near(rows.map(|row| in_base(row, "amount")).sum(), nav.num(name));
        }
        let taxes = self.of("TransactionTax").map(|row| in_base(row, "taxAmount")).sum();
        near(taxes, nav.num("transactionTax"));
        let accrued = self.of("ChangeInDividendAccrual").map(|row| in_base(row, "netAmount")).sum();
        near(accrued, nav.num("changeInDividendAccruals"));
        for of in self.of("InterestAccrualsCurrency") {
            let parts =
                ["startingAccrualBalance", "interestAccrued", "accrualReversal", "fxTranslation"];
            assert_eq!(of.sum(&parts), of.num("endingAccrualBalance"));
        }
    }

    fn check_funds(&self) {
        let mut purses: BTreeMap<&str, i128> = BTreeMap::new();
        for line in self.of("StatementOfFundsLine") {
            let purse = purses.entry(line.get("currency")).or_default();
            match line.get("activityDescription") {
                "Starting Balance" => *purse = line.num("balance"),
                _ => *purse += line.num("amount"),
            }
            assert_eq!(*purse, line.num("balance"), "{line:?}");
        }
        for of in self.of("CashReportCurrency").filter(|of| of.get("currency") != "BASE_SUMMARY") {
            assert_eq!(purses[of.get("currency")], of.num("endingCash"));
        }
    }
}

fn in_base(row: &Element, name: &str) -> i128 {
    times(row.num(name), row.num("fxRateToBase"))
}

fn near(a: i128, b: i128) {
    assert!((a - b).abs() < NEAR, "{a} is not {b}");
}

fn add(all: &mut [i128], more: &[i128]) {
    all.iter_mut().zip(more).for_each(|(sum, one)| *sum += one);
}
