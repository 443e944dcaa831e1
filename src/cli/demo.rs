//! `ocs demo`: creates a sample owner with two sites and some chats.

use anyhow::bail;
use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::accounts::{Account, NewAccount};
use crate::app::App;
use crate::audit::By;
use crate::error::Error;
use crate::flows;
use crate::messages::{self, Author, Body, ClientId, Draft, Outgoing, Target, Text};
use crate::output::{count, outln};
use crate::secret::random_text;
use crate::sites::{self, Colour, ConfigureSite, Look, Site, Variant};
use crate::visitors::Start;

use super::ConfigArgs;
use super::command::{Command, Output, explain, send, unexpected};
use super::site::owned_workspace;

const EMAIL: &str = "demo@example.com";
const NAME: &str = "Dana";

#[derive(Args)]
pub(super) struct Demo {
    #[command(flatten)]
    config_args: ConfigArgs,
    /// Add the sample chats to a folder that has accounts already
    #[arg(long)]
    yes: bool,
}

/// What was created.
#[derive(Serialize, Deserialize)]
pub(super) struct DemoCreated {
    /// The server's public address.
    pub url: String,
    pub email: String,
    pub sites: Vec<(String, String)>,
}

impl Demo {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let config = self.config_args.read()?;
        let data = config.data.display().to_string();
        if !self.yes && config.data.exists() {
            let Output::Users(users) = send(self.config_args.read()?, Command::ListUsers).await? else {
                return Err(unexpected());
            };
            if users.iter().any(|user| user.email != EMAIL) {
                bail!(
                    "{data} is in use: it has {} already. The demo would add the account {EMAIL} with two sites to it; \
                     repeat with --yes to have it there, or try it in a folder of its own: ocs demo --data demo",
                    count(users.len(), "account")
                );
            }
        }
        let password = random_text(12);
        let command = Command::Demo { password: password.clone() };
        let Output::DemoCreated(made) = send(config, command).await? else { return Err(unexpected()) };
        let url = &made.url;
        outln!("Two sites with sample chats are ready.\n");
        outln!("1. ocs serve --data {data}      (unless it is running already)");
        outln!("2. open {url}/ and sign in");
        outln!("     e-mail    {}", made.email);
        outln!("     password  {password}");
        outln!("3. write as a visitor:");
        for (name, key) in &made.sites {
            outln!("     {name}: <script async src=\"{url}/api/widget.js?key={key}\"></script>");
        }
        outln!("\nTo remove it all, sign in with it and delete the account: Account, Delete account.");
        Ok(())
    }
}

/// A chat: a visitor, its page, and the messages (`>` by the visitor, `<` by the owner).
struct Chat {
    external_id: &'static str,
    nickname: Option<&'static str>,
    page: (&'static str, &'static str),
    browser: &'static str,
    said: &'static [&'static str],
}

const FIREFOX: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0";
const SAFARI: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) \
    Version/18.0 Mobile/15E148 Safari/604.1";

const SHOP: &[Chat] = &[
    Chat {
        external_id: "customer-1042",
        nickname: Some("Vera"),
        page: ("https://shop.example/cart", "Your cart"),
        browser: FIREFOX,
        said: &[
            "> Hello! Is the blue lamp back in stock?",
            "< Hi Vera, it is: three are left. Shall I put one aside for you?",
            "> Yes please, until tomorrow would be great",
            "< Done. It waits for you until tomorrow evening.",
            "> Thank you so much 💙",
        ],
    },
    Chat {
        external_id: "customer-1077",
        nickname: Some("Émile"),
        page: ("https://shop.example/orders/5512", "Order 5512"),
        browser: SAFARI,
        said: &["> Bonjour, my parcel shows \"delivered\" but nothing is here", "> The order is 5512"],
    },
    Chat {
        external_id: "k3Jt0pXw",
        nickname: None,
        page: ("https://shop.example/", "Lamps and light"),
        browser: FIREFOX,
        said: &["> do you ship to Norway?", "< We do, in three to five days. Shipping is free over 50 €."],
    },
];

const STUDIO: &[Chat] = &[
    Chat {
        external_id: "student-7",
        nickname: Some("Yuki"),
        page: ("https://studio.example/classes", "Classes"),
        browser: SAFARI,
        said: &["> Is there still room in the pottery class on Saturday?"],
    },
    Chat {
        external_id: "student-12",
        nickname: Some("Noor"),
        page: ("https://studio.example/prices", "Prices"),
        browser: FIREFOX,
        said: &[
            "> Can I pay by invoice?",
            "< Of course. Tell us the address and we send it with the confirmation.",
            "> https://maps.example/studio is this the right place?",
        ],
    },
];

/// Creates the demo; fails if it exists.
pub(super) async fn fill(app: &App, password: &str) -> anyhow::Result<DemoCreated> {
    let new = NewAccount { email: EMAIL.into(), password: password.into(), name: Some(NAME.into()) };
    let owner = match flows::add_account(&app.accounts, new).await {
        Err(Error::EmailTaken) => bail!(
            "{EMAIL} is here already: the demo was made before. Set a new password with `ocs user password --email {EMAIL}`"
        ),
        made => made.map_err(explain)?,
    };
    let shop = site(app, &owner, "Lamp Shop", Look::default(), SHOP).await?;
    let green = Colour([0x16, 0x65, 0x34]);
    let look = Look { variant: Variant::Bubble, primary: green, header: green, ..Look::default() };
    let studio = site(app, &owner, "Clay Studio", look, STUDIO).await?;
    let sites = [shop, studio].map(|site| (site.name, site.widget_key)).into();
    Ok(DemoCreated { url: app.config.public_url(), email: owner.email, sites })
}

async fn site(app: &App, owner: &Account, name: &str, look: Look, chats: &[Chat]) -> anyhow::Result<Site> {
    let workspace = owned_workspace(app, owner).await?;
    let by = By::on_machine(owner.id).in_workspace(workspace);
    let site =
        sites::create(&app.store, &by, workspace, name, app.config.sites_per_workspace).await.map_err(explain)?;
    let change = ConfigureSite { look: Some(look), ..ConfigureSite::default() };
    sites::configure(&app.store, &by, site.id, change).await.map_err(explain)?;
    for chat in chats {
        play(app, owner, &site, chat).await.map_err(explain)?;
    }
    Ok(site)
}

async fn play(app: &App, owner: &Account, site: &Site, chat: &Chat) -> Result<(), Error> {
    let (url, title) = chat.page;
    let start = Start {
        key: site.widget_key.clone(),
        external_id: chat.external_id.into(),
        anonymous: chat.nickname.is_none(),
        nickname: chat.nickname.map(Value::from),
        page: Some(json!({ "url": url, "title": title })),
        locale: Some("en".into()),
        timezone: Some("Europe/Berlin".into()),
        ..Start::default()
    };
    let arrived =
        flows::start_session(&app.store, &app.vault, site, None, start.check(Some(chat.browser), app.store.now())?)
            .await?;
    let visitor = arrived.visitor.id;
    let thread = Target::Thread { visitor, proof: arrived.session.proof.clone(), mode: site.identity_mode };
    for line in chat.said {
        let author = match line.strip_prefix("< ") {
            Some(_) => Author::Operator { account: owner.id, name: owner.name.clone() },
            None => Author::Visitor(visitor),
        };
        let draft = Draft { client_id: ClientId::random(), body: Body::Text(Text::parse(&line[2..])?) };
        let outgoing = Outgoing { site: site.id, target: thread.clone(), author, drafts: vec![draft] };
        messages::send(&app.appender, outgoing).await?;
    }
    Ok(())
}
