//! Logs in and prints the order book as a JSON array.
//!
//! `order_book [BASE_URL]`, with `KOTAK_CONSUMER_KEY`, `KOTAK_MOBILE_NUMBER`, `KOTAK_UCC`, `KOTAK_MPIN` and the
//! code of the moment as `KOTAK_CODE` in the environment. A login ends the account's other sessions.

use std::sync::Arc;

use kotak_neo::client::Client;
use kotak_neo::credentials::Credentials;
use kotak_neo::http::{HttpOptions, HttpTransport};
use kotak_neo::login::Login;
use kotak_neo::secrecy::SecretString;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let secret = |name: &str| match std::env::var(name) {
        Ok(value) => Ok(SecretString::from(value)),
        Err(_) => Err(format!("{name} is not set")),
    };
    let credentials = Credentials {
        consumer_key: secret("KOTAK_CONSUMER_KEY")?,
        mobile_number: secret("KOTAK_MOBILE_NUMBER")?,
        ucc: secret("KOTAK_UCC")?,
        mpin: secret("KOTAK_MPIN")?,
    };
    let transport = Arc::new(HttpTransport::new(HttpOptions::default())?);
    let mut login = Login::new(transport.clone());
    if let Some(base_url) = std::env::args().nth(1) {
        login.base_url = base_url;
    }
    let view = login.view(&credentials, &secret("KOTAK_CODE")?).await?;
    let session = login.validate(&credentials, &view.value).await?;
    let client = Client::new(transport, credentials.consumer_key.clone(), session.value);
    let rows: Vec<_> = client
        .orders()
        .await?
        .iter()
        .map(|order| {
            serde_json::json!({
                "nOrdNo": order.order_no.as_str(),
                "GuiOrdId": order.tag,
                "ordSt": order.status.to_string(),
                "trdSym": order.trading_symbol,
                "trnsTp": order.side.as_wire(),
                "prcTp": order.order_type.as_wire(),
                "prod": order.product.as_wire(),
                "prc": order.price.to_string(),
                "avgPrc": order.average_price.to_string(),
                "qty": order.quantity,
                "fldQty": order.filled,
            })
        })
        .collect();
    println!("{}", serde_json::Value::from(rows));
    Ok(())
}
