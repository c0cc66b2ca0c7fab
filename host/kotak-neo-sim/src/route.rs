//! Which call a path is.

use crate::call::Call;
use crate::endpoint::Endpoint;

/// A call of the wire with what its path carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Route<'a> {
    Login,
    Validate,
    Logout,
    ClientIp,
    Place,
    Modify,
    Cancel,
    /// Exits of products that the API no longer has.
    Discontinued,
    Orders,
    Order(&'a str),
    History,
    Trades,
    Positions,
    Holdings,
    Limits,
    Margin,
    Quotes(&'a str, &'a str),
    MasterPaths,
    MasterFile(&'a str),
    Expiries,
    OptionChain,
    Historical,
    Control(&'a str),
    Unknown,
}

impl<'a> Route<'a> {
    /// The route of `call`. Paths of facts 2; a base URL with a path of its own (`…/apim`) is not known.
    pub fn of(call: &'a Call) -> Self {
        let parts: Vec<&str> = call.path.split('/').skip(1).collect();
        match (call.post, parts.as_slice()) {
            (true, ["login", "1.0", "tradeApiLogin"]) => Self::Login,
            (true, ["login", "1.0", "tradeApiValidate"]) => Self::Validate,
            (true, ["login", "1.0", "logout"]) => Self::Logout,
            (false, ["login", "1.0", "get-client-ip"]) => Self::ClientIp,
            (true, ["quick", "order", "rule", "ms", "place"]) => Self::Place,
            (true, ["quick", "order", "vr", "modify"]) => Self::Modify,
            (true, ["quick", "order", "cancel"]) => Self::Cancel,
            (true, ["quick", "order", "co" | "bo", "exit"]) => Self::Discontinued,
            (false, ["quick", "user", "orders"]) => Self::Orders,
            (false, ["quick", "user", "orders", number]) => Self::Order(number),
            (true, ["quick", "order", "history"]) => Self::History,
            (false, ["quick", "user", "trades"]) => Self::Trades,
            (false, ["quick", "user", "positions"] | ["portfolio", "v2", "positions"]) => Self::Positions,
            (false, ["portfolio", "v1", "holdings"]) => Self::Holdings,
            (true, ["quick", "user", "limits"]) => Self::Limits,
            (true, ["quick", "user", "check-margin"]) => Self::Margin,
            (false, ["script-details", "1.0", "quotes", "neosymbol", asked]) => Self::Quotes(asked, "all"),
            (false, ["script-details", "1.0", "quotes", "neosymbol", asked, filter]) => {
                Self::Quotes(asked, filter)
            }
            (false, ["script-details", "1.0", "masterscrip", "file-paths"]) => Self::MasterPaths,
            (false, ["wso2-scripmaster", "v1", "prod", _, "transformed" | "transformed-v1", file]) => {
                Self::MasterFile(file)
            }
            (false, ["market-data", "1.0", "watchlist", "expiries"]) => Self::Expiries,
            (false, ["market-data", "1.0", "watchlist", "option-chain"]) => Self::OptionChain,
            (false, ["market-data", "1.0", "historical", "details"]) => Self::Historical,
            (_, ["_sim", rest @ ..]) => Self::Control(rest.first().copied().unwrap_or("")),
            _ => Self::Unknown,
        }
    }

    /// What faults and counters call it; none for the control routes.
    pub const fn endpoint(&self) -> Option<Endpoint> {
        Some(match self {
            Self::Login => Endpoint::Login,
            Self::Validate => Endpoint::Validate,
            Self::Logout => Endpoint::Logout,
            Self::ClientIp => Endpoint::ClientIp,
            Self::Place => Endpoint::Place,
            Self::Modify => Endpoint::Modify,
            Self::Cancel | Self::Discontinued => Endpoint::Cancel,
            Self::Orders => Endpoint::Orders,
            Self::Order(_) => Endpoint::Order,
            Self::History => Endpoint::History,
            Self::Trades => Endpoint::Trades,
            Self::Positions => Endpoint::Positions,
            Self::Holdings => Endpoint::Holdings,
            Self::Limits => Endpoint::Limits,
            Self::Margin => Endpoint::Margin,
            Self::Quotes(..) => Endpoint::Quotes,
            Self::MasterPaths | Self::MasterFile(_) => Endpoint::Master,
            Self::Expiries | Self::OptionChain => Endpoint::Watchlist,
            Self::Historical => Endpoint::Historical,
            Self::Unknown => Endpoint::Unknown,
            Self::Control(_) => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(post: bool, target: &str) -> String {
        let call = Call::new(post, String::new(), target, [], Vec::new());
        format!("{:?}", Route::of(&call))
    }

    #[test]
    fn paths_are_decoded_and_slashes_joined() {
        for (post, target, expected) in [
            (
                false,
                "//script-details/1.0/quotes/neosymbol/nse_cm|1,nse_cm|2/ltp",
                "Quotes(\"nse_cm|1,nse_cm|2\", \"ltp\")",
            ),
            (
                false,
                "/script-details/1.0/quotes/neosymbol/nse_cm%7CNifty%2050",
                "Quotes(\"nse_cm|Nifty 50\", \"all\")",
            ),
            (true, "/quick/order/rule/ms/place?sId=None", "Place"),
            (false, "/quick/order/rule/ms/place", "Unknown"),
            (false, "/quick/user/orders/260513000001?sId=", "Order(\"260513000001\")"),
            (true, "/quick/order/bo/exit", "Discontinued"),
            (true, "/_sim/faults", "Control(\"faults\")"),
            (false, "/", "Unknown"),
        ] {
            assert_eq!(route(post, target), expected, "{target}");
        }
    }
}
