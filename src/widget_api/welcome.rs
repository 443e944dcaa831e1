//! What a panel shows before the first message.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::error::Result;
use crate::http::body::QueryOf;
use crate::images;
use crate::messages::{TEXT_BYTES, TEXT_GRAPHEMES};
use crate::sites::{Locale, Site};

use super::caller::{AnyOrigin, PageOrigin};

/// A site, as a panel needs it.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct Welcome {
    /// Its name.
    pub name: String,
    /// The owner's greeting in the visitor's language; empty: the widget's default.
    pub welcome: String,
    /// Path of the logo.
    pub logo_url: Option<String>,
    /// An operator can see a chat: a console is visible, or was recently in the inbox.
    pub operators_online: bool,
    /// Limits of a message.
    pub limits: Limits,
}

/// Limits of a message.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct Limits {
    /// Graphemes.
    pub text_graphemes: usize,
    /// Bytes of UTF-8.
    pub text_bytes: usize,
    /// Bytes of an image file.
    pub image_bytes: u32,
}

impl Welcome {
    /// The view for a visitor with this language tag.
    pub fn of(app: &App, site: &Site, language: &str) -> Welcome {
        Welcome {
            name: site.name.clone(),
            welcome: site.welcome_for(Locale::nearest(language)).to_owned(),
            logo_url: site.logo.as_deref().map(images::logo_url),
            operators_online: app.hub.is_operator_present(site.workspace_id, site.id),
            limits: Limits {
                text_graphemes: TEXT_GRAPHEMES,
                text_bytes: TEXT_BYTES,
                image_bytes: site.limits.image_bytes,
            },
        }
    }
}

/// The site, and the visitor's language tag.
#[derive(Deserialize, schemars::JsonSchema)]
pub(super) struct WelcomeQuery {
    key: String,
    #[serde(default)]
    lang: String,
}

/// Responds with the greeting of a site.
pub(super) async fn welcome(
    State(app): State<App>,
    page: PageOrigin,
    QueryOf(query): QueryOf<WelcomeQuery>,
) -> Response {
    AnyOrigin(find(&app, &page, &query).await.map(Json)).into_response()
}

async fn find(app: &App, page: &PageOrigin, query: &WelcomeQuery) -> Result<Welcome> {
    let site = app.sites.by_widget_key(&query.key).await?;
    page.check(&site)?;
    Ok(Welcome::of(app, &site, &query.lang))
}
