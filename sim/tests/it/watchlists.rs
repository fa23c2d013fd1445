//! Watchlists.

use serde_json::{Value, json};

use crate::harness::World;
use crate::shape::{assert_shape, fixture};

const LISTS: &str = "/iserver/watchlists?SC=USER_WATCHLIST";

fn names(lists: &Value) -> Vec<&str> {
    let rows = lists["data"]["user_lists"].as_array().unwrap();
    rows.iter().map(|row| row["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn watchlists_have_the_shapes_of_their_fixtures() {
    let world = World::primed().await;
    assert_shape("watchlists", &world.json(LISTS).await, &[]);
    let first = world.json("/iserver/watchlist?id=101").await;
    assert_shape("watchlist_bare", &first, &[]);
    let later = world.json("/iserver/watchlist?id=101").await;
    assert_shape("watchlist", &later, &[]);
    assert_eq!(first["instruments"][0].get("ticker"), None);
    assert_eq!(later["instruments"][0]["ticker"], "AAPL");
    assert_eq!(later["instruments"][3], json!({ "H": "" }));
    let body = json!({ "id": "1234", "name": "W", "rows": [{ "C": 8314 }, { "H": "" }] });
    let put = world.post("/iserver/watchlist", body).await;
    assert_shape("watchlist_put", &put.json(), &[]);
    let deleted = world.delete("/iserver/watchlist?id=1234").await.json();
    assert_shape("watchlist_deleted", &deleted, &[]);
    assert_eq!((&deleted["data"]["deleted"], &deleted["MID"]), (&json!("1234"), &json!("2")));
}

#[tokio::test]
async fn a_list_is_replaced_by_one_of_the_same_number() {
    let world = World::primed().await;
    assert_eq!(names(&world.json(LISTS).await), ["Favorites", "Europe"]);
    for (name, rows) in [
        ("first", json!([{ "C": 265598 }, { "C": "8314" }])),
        ("second", json!([{ "C": 8314 }, { "H": "Others" }, { "C": 999_999_999 }])),
    ] {
        let body = json!({ "id": "99999", "name": name, "rows": rows });
        assert_eq!(world.post("/iserver/watchlist", body).await.status, 200, "{name}");
    }
    assert_eq!(names(&world.json(LISTS).await), ["Favorites", "Europe", "second"]);
    world.json("/iserver/watchlist?id=99999").await;
    let list = world.json("/iserver/watchlist?id=99999").await;
    let rows = list["instruments"].as_array().unwrap();
    assert_eq!(rows.len(), 3);
    assert_eq!((&rows[0]["C"], &rows[0]["conid"]), (&json!("8314"), &json!(8314)));
    assert_eq!(rows[0]["fullName"], "IBM");
    assert_eq!(rows[1], json!({ "H": "Others" }));
    assert_eq!(rows[2], json!({ "C": "999999999", "conid": 999_999_999 }), "nobody looked it up");
    let empty = world.post("/iserver/watchlist", json!({ "id": "5", "name": "nothing" })).await;
    assert_eq!(empty.status, 200, "rows may be missing");
}

#[tokio::test]
async fn what_is_no_list_is_refused() {
    let world = World::primed().await;
    let cold = world.delete("/iserver/watchlist?id=77").await;
    let wanted = fixture("error_watchlist");
    assert_eq!(
        (json!(cold.status), cold.json()),
        (wanted["status"].clone(), wanted["body"].clone())
    );
    assert_eq!(world.post("/iserver/watchlist", json!({})).await.status, 400);
    for body in [
        json!({ "id": "88888", "rows": [{ "C": 756733 }] }),
        json!({ "id": "not_a_number", "name": "x", "rows": [] }),
        json!({ "id": 88888, "name": "x", "rows": [] }),
        json!({ "id": "88888", "name": "x", "rows": [{ "conid": 756733 }] }),
    ] {
        assert_eq!(world.post("/iserver/watchlist", body.clone()).await.status, 503, "{body}");
    }
    assert_eq!(world.get("/iserver/watchlist?id=77").await.status, 503);
    assert_eq!(world.get("/iserver/watchlist").await.status, 400);
    world.json(LISTS).await;
    let warm = world.delete("/iserver/watchlist?id=77").await;
    assert_eq!(warm.status, 200, "as if there had been one");
}
