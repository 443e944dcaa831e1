//! A visitor's image upload: the raw bytes as the body.

use std::time::Instant;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};

use crate::app::App;
use crate::error::Result;
use crate::http::address::ClientAddress;
use crate::http::uploads::with_upload;
use crate::images::{self, ImageView, Uploaded};
use crate::rate_limits::{BucketKeys, Charge};

use super::caller::{AnyOrigin, CurrentVisitor};

/// Accepts an image.
pub(super) async fn upload(
    State(app): State<App>,
    visitor: CurrentVisitor,
    address: ClientAddress,
    body: Body,
) -> Response {
    AnyOrigin(take(&app, &visitor, address, body).await.map(Json)).into_response()
}

async fn take(app: &App, visitor: &CurrentVisitor, address: ClientAddress, body: Body) -> Result<Uploaded> {
    let (site, network) = (&visitor.site, address.unshared_network(&app.config.trusted_proxies));
    app.rate_limits.token_buckets.charge(
        &BucketKeys::visitor(&visitor.session).from(network),
        Charge::Request,
        Instant::now(),
    )?;
    let limit = site.limits.image_bytes as usize;
    let image = with_upload(app, (site.id, network), body, limit, async |bytes| {
        images::accept_from_visitor(&app.images, site.upload_target(), visitor.session.identity(), network, bytes).await
    })
    .await?;
    Ok(Uploaded { image: ImageView::from(&image) })
}
