//! One commit's worth of messages: read what is needed in a few statements, number, write in a few statements.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::clock::Millis;
use crate::conversations::{self, Conversation, Side, State, ThreadCache, Watermarks};
use crate::error::{Error, Result};
use crate::events::{self, Counters, Event, Recorded, Scope};
use crate::id::{ConversationId, ImageId, MessageId, SiteId, VisitorId, WorkspaceId};
use crate::images::{self, ImageView};
use crate::sites::IdentityMode;
use crate::storage::{Kind, Store, Tx};
use crate::visitors::Proof;

use super::store::{self, AuthorKey, New};
use super::{Author, Body, Draft, Message, Outgoing, Target};

type Key = (SiteId, ConversationId);

/// What each job led to.
pub(super) type Answers = Vec<Result<Vec<Arc<Message>>>>;

/// Stores all of `jobs` in one commit. An answer may be a refusal of that job alone; an error here is of the whole batch,
/// of which nothing was stored then.
///
/// Where all of their conversations are cached, nothing of them is read. That something was stored before is noticed by its
/// unique index then, and the batch begins anew with what is stored.
pub(super) async fn append(store: &Store, jobs: Arc<[Outgoing]>) -> Result<Answers> {
    let first = jobs.clone();
    let recalled = move |tx: &mut Tx| {
        let counters = lock(tx, &first)?;
        match Batch::recall(tx, &counters, &first) {
            Some(batch) => carry_out(tx, &first, Batch { counters, ..batch }),
            None => read_and_append(tx, &first, counters),
        }
    };
    let read = move |tx: &mut Tx| {
        let counters = lock(tx, &jobs)?;
        read_and_append(tx, &jobs, counters)
    };
    match store.write(recalled).await {
        Err(Error::Unique(_)) => store.write(read).await,
        done => done,
    }
}

/// Locks the counters of the batch's workspaces, and forgets what is no longer right of what is cached.
fn lock(tx: &mut Tx, jobs: &[Outgoing]) -> Result<Counters> {
    let counters = Counters::lock(tx, &jobs.iter().map(|job| job.site).collect())?;
    tx.cache::<ThreadCache>().check(&counters);
    Ok(counters)
}

fn read_and_append(tx: &mut Tx, jobs: &[Outgoing], counters: Counters) -> Result<Answers> {
    let batch = Batch::read(tx, counters, jobs)?;
    carry_out(tx, jobs, batch)
}

fn carry_out(tx: &mut Tx, jobs: &[Outgoing], mut batch: Batch) -> Result<Answers> {
    let mut planned = Vec::with_capacity(jobs.len());
    for job in jobs {
        planned.push(batch.plan(tx, job));
    }
    let stored = batch.write(tx)?;
    let fetch = |place| match place {
        Stored::Known(message) => message,
        Stored::New(index) => stored[index].clone(),
    };
    Ok(planned.into_iter().map(|plan| plan.map(|places| places.into_iter().map(fetch).collect())).collect())
}

/// Where an answer's message is.
enum Stored {
    /// It was stored before: this is a retry.
    Known(Arc<Message>),
    /// It is the batch's new message of this index.
    New(usize),
}

/// A conversation as this batch leaves it.
struct Head {
    conversation: Conversation,
    public_id: Arc<str>,
    fresh: bool,
    grown: bool,
}

impl Head {
    fn new(conversation: Conversation, fresh: bool) -> Head {
        Head { public_id: conversation.public_id.as_str().into(), conversation, fresh, grown: false }
    }
}

/// A new message before its log number is known.
struct Planned {
    workspace: WorkspaceId,
    key: Key,
    seq: i64,
    author: Author,
    draft: Draft,
    image: Option<(ImageId, ImageView)>,
    /// The event that tells of a conversation started or reopened, before the message's own.
    announce: bool,
}

#[derive(Default)]
struct Batch {
    heads: HashMap<Key, Head>,
    of_visitor: HashMap<(SiteId, VisitorId), Vec<ConversationId>>,
    known: HashMap<AuthorKey, Arc<Message>>,
    planned: Vec<Planned>,
    counters: Counters,
    /// Visitors of whom all conversations are here.
    whole: BTreeSet<(SiteId, VisitorId)>,
}

impl Batch {
    /// Everything that planning must know, from memory, but for what was stored before. Not for pictures: one that is sent
    /// again is refused before its message is found to be stored.
    fn recall(tx: &mut Tx, counters: &Counters, jobs: &[Outgoing]) -> Option<Batch> {
        if jobs.iter().flat_map(|job| &job.drafts).any(|draft| matches!(draft.body, Body::Image(_))) {
            return None;
        }
        let mut batch = Batch::default();
        let cache = tx.cache::<ThreadCache>();
        for job in jobs {
            let threads = cache.of(counters.workspace(job.site).ok()?)?;
            let conversations = match &job.target {
                Target::Conversation(id) => threads.with_siblings(job.site, *id)?,
                Target::Thread { visitor, .. } => threads.of_visitor(job.site, *visitor)?,
            };
            batch.whole.extend(conversations.iter().map(|one| (one.site_id, one.visitor_id)));
            batch.take(conversations.iter().cloned());
        }
        if cfg!(debug_assertions) {
            batch.compare_with_database(tx);
        }
        Some(batch)
    }

    /// Panics where a change of a conversation took no number of the log: what was cached of it is wrong then.
    fn compare_with_database(&self, tx: &mut Tx) {
        let keys: Vec<Key> = self.heads.keys().copied().collect();
        let mut stored = conversations::store::find_many_in(tx, &keys).unwrap_or_default();
        let mut cached: Vec<&Conversation> = self.heads.values().map(|head| &head.conversation).collect();
        stored.sort_by_key(|one| one.id);
        cached.sort_by_key(|one| one.id);
        assert!(stored.iter().eq(cached.iter().copied()), "cached: {cached:?}, stored: {stored:?}");
    }

    /// Everything that planning must know, from the database.
    fn read(tx: &mut Tx, counters: Counters, jobs: &[Outgoing]) -> Result<Batch> {
        let (mut named, mut visitors) = (BTreeSet::new(), BTreeSet::new());
        for job in jobs {
            match &job.target {
                Target::Conversation(id) => drop(named.insert((job.site, *id))),
                Target::Thread { visitor, .. } => drop(visitors.insert((job.site, *visitor))),
            }
        }
        let mut keys = Vec::new();
        for job in jobs {
            // Nothing of a deleted site is known.
            let Ok(workspace) = counters.workspace(job.site) else { continue };
            keys.extend(job.drafts.iter().map(|draft| author_key(workspace, &job.author, &draft.client_id)));
        }
        let mut batch = Batch { counters, ..Batch::default() };
        if !named.is_empty() {
            // Reopening must know the visitor's other conversations: one open at most.
            batch.take(conversations::store::with_siblings(tx, &named)?);
        }
        if !visitors.is_empty() {
            batch.take(conversations::store::of_visitors(tx, &visitors)?);
        }
        let found = named.iter().filter_map(|key| batch.heads.get(key));
        batch.whole = found.map(|head| (head.conversation.site_id, head.conversation.visitor_id)).collect();
        batch.whole.append(&mut visitors);
        for message in store::known(tx, &keys)? {
            let key = author_key(message.workspace_id, &message.author, &message.client_id);
            batch.known.insert(key, Arc::new(message));
        }
        Ok(batch)
    }

    fn take(&mut self, conversations: impl IntoIterator<Item = Conversation>) {
        for conversation in conversations {
            let key = (conversation.site_id, conversation.id);
            if !self.heads.contains_key(&key) {
                let siblings = self.of_visitor.entry((conversation.site_id, conversation.visitor_id)).or_default();
                siblings.push(conversation.id);
                self.heads.insert(key, Head::new(conversation, false));
            }
        }
    }

    fn plan(&mut self, tx: &mut Tx, job: &Outgoing) -> Result<Vec<Stored>> {
        let workspace = self.counters.workspace(job.site)?;
        if let Some(places) = self.find_known(workspace, job)? {
            return Ok(places);
        }
        // Images first: a refused one must leave nothing behind.
        let mut images = Vec::with_capacity(job.drafts.len());
        for draft in &job.drafts {
            images.push(attach(tx, job, draft)?);
        }
        let key = self.resolve(tx, job)?;
        let reopened = self.open(key);
        let mut places = Vec::with_capacity(job.drafts.len());
        for (index, (draft, image)) in job.drafts.iter().zip(images).enumerate() {
            let Some(head) = self.heads.get_mut(&key) else { return Err(Error::NotFound) };
            head.conversation.last_seq += 1;
            match job.author.side() {
                Side::Visitor => head.conversation.unread_agent += 1,
                Side::Agent => head.conversation.unread_visitor += 1,
            }
            head.conversation.updated_at = tx.now();
            head.grown = true;
            let announce = index == 0 && (reopened || head.conversation.last_seq == 1);
            let seq = head.conversation.last_seq;
            places.push(Stored::New(self.planned.len()));
            self.planned.push(Planned {
                workspace,
                key,
                seq,
                author: job.author.clone(),
                draft: draft.clone(),
                image,
                announce,
            });
        }
        Ok(places)
    }

    /// A retry answers what is stored; the same id with another body is a conflict. Retries inside one batch count too.
    fn find_known(&self, workspace: WorkspaceId, job: &Outgoing) -> Result<Option<Vec<Stored>>> {
        let find = |draft: &Draft| {
            let key = author_key(workspace, &job.author, &draft.client_id);
            let stored = self.known.get(&key);
            let stored = stored.map(|message| {
                let same = says(message, &draft.body) && self.may_hear_of(job, message);
                (same, Stored::Known(message.clone()))
            });
            stored.or_else(|| {
                let is_same = |p: &Planned| author_key(p.workspace, &p.author, &p.draft.client_id) == key;
                let index = self.planned.iter().position(is_same)?;
                let Planned { key: (site, conversation), draft: planned, .. } = &self.planned[index];
                let here = *site == job.site && !matches!(job.target, Target::Conversation(id) if id != *conversation);
                Some((here && planned.body == draft.body, Stored::New(index)))
            })
        };
        let found: Vec<_> = job.drafts.iter().filter_map(find).collect();
        if found.is_empty() {
            Ok(None)
        } else if found.len() < job.drafts.len() || found.iter().any(|(same, _)| !same) {
            Err(Error::Conflict("this client_id was used for another message"))
        } else {
            Ok(Some(found.into_iter().map(|(_, place)| place).collect()))
        }
    }

    /// Whoever types an external id is the same author as its owner, and hears nothing of the owner's messages all the same.
    fn may_hear_of(&self, job: &Outgoing, message: &Message) -> bool {
        match &job.target {
            Target::Conversation(id) => message.site_id == job.site && message.conversation_id == *id,
            Target::Thread { proof, mode, .. } => {
                let head = self.heads.get(&(message.site_id, message.conversation_id));
                head.is_some_and(|head| *mode == IdentityMode::Shared || head.conversation.proof == *proof)
            }
        }
    }

    fn resolve(&mut self, tx: &mut Tx, job: &Outgoing) -> Result<Key> {
        match &job.target {
            Target::Conversation(id) => {
                let key = (job.site, *id);
                if self.heads.contains_key(&key) { Ok(key) } else { Err(Error::NotFound) }
            }
            Target::Thread { visitor, proof, mode } => match self.thread_of(job.site, *visitor, proof, *mode) {
                Some(key) => Ok(key),
                None => self.start(tx, job.site, *visitor, proof, *mode),
            },
        }
    }

    /// The visitor's open conversation, else its last one.
    fn thread_of(&self, site: SiteId, visitor: VisitorId, proof: &Proof, mode: IdentityMode) -> Option<Key> {
        let ids = self.of_visitor.get(&(site, visitor))?;
        let readable = ids.iter().filter_map(|id| self.heads.get(&(site, *id))).map(|head| &head.conversation);
        let readable = readable.filter(|c| mode == IdentityMode::Shared || c.proof == *proof);
        let best = readable.max_by_key(|c| (c.state == State::Open, c.updated_at, c.id))?;
        Some((site, best.id))
    }

    fn start(
        &mut self,
        tx: &mut Tx,
        site: SiteId,
        visitor: VisitorId,
        proof: &Proof,
        mode: IdentityMode,
    ) -> Result<Key> {
        let conversation = Conversation {
            workspace_id: self.counters.workspace(site)?,
            site_id: site,
            id: tx.next_id(Kind::Conversation, ConversationId)?,
            public_id: format!("c_{}", crate::secret::random_text(12)),
            visitor_id: visitor,
            proof: if mode == IdentityMode::Shared { Proof::Shared } else { proof.clone() },
            state: State::Open,
            last_seq: 0,
            watermarks: Watermarks::default(),
            unread_agent: 0,
            unread_visitor: 0,
            created_at: tx.now(),
            updated_at: tx.now(),
        };
        let key = (site, conversation.id);
        self.of_visitor.entry((site, visitor)).or_default().push(conversation.id);
        self.heads.insert(key, Head::new(conversation, true));
        Ok(key)
    }

    /// Reopens a closed conversation, unless its visitor has another open one under the same proof.
    fn open(&mut self, key: Key) -> bool {
        let Some(head) = self.heads.get(&key) else { return false };
        let this = &head.conversation;
        let Ok(open) = this.state.reopen() else { return false };
        let siblings = self.of_visitor.get(&(this.site_id, this.visitor_id)).map_or(&[][..], Vec::as_slice);
        let taken = siblings.iter().filter_map(|id| self.heads.get(&(this.site_id, *id)));
        let taken = taken.map(|head| &head.conversation).any(|c| c.state == State::Open && c.proof == this.proof);
        if !taken && let Some(head) = self.heads.get_mut(&key) {
            head.conversation.state = open;
        }
        !taken
    }

    /// Leaves to the next batch how its conversations stand now.
    fn remember(self, tx: &mut Tx) {
        let mut heads = self.heads;
        let cache = tx.cache::<ThreadCache>();
        for key in self.whole {
            let Ok(workspace) = self.counters.workspace(key.0) else { continue };
            let ids = self.of_visitor.get(&key).into_iter().flatten();
            let conversations = ids.filter_map(|id| heads.remove(&(key.0, *id))).map(|head| head.conversation);
            cache.insert(workspace, key, conversations.collect());
        }
        cache.confirm(&self.counters);
    }

    fn write(mut self, tx: &mut Tx) -> Result<Vec<Arc<Message>>> {
        if self.planned.is_empty() {
            return Ok(Vec::new());
        }
        for head in self.heads.values().filter(|head| head.fresh) {
            conversations::store::add(tx, &head.conversation);
        }
        let (mut news, mut recorded) = (Vec::new(), Vec::new());
        for planned in std::mem::take(&mut self.planned) {
            let id = tx.next_id(Kind::Message, MessageId)?;
            let Some(head) = self.heads.get(&planned.key) else { return Err(Error::NotFound) };
            news.push(number(planned, head, id, &mut self.counters, &mut recorded, tx.now())?);
        }
        store::add(tx, &news);
        events::store::add(tx, &recorded);
        self.counters.write(tx);
        let grown: Vec<&Conversation> =
            self.heads.values().filter(|head| head.grown).map(|head| &head.conversation).collect();
        conversations::store::grow(tx, &grown);
        self.remember(tx);
        events::deliver(tx, recorded);
        Ok(news.into_iter().map(|new| new.message).collect())
    }
}

/// Gives a planned message its number, and adds the events that tell of it.
fn number(
    planned: Planned,
    head: &Head,
    id: MessageId,
    counters: &mut Counters,
    recorded: &mut Vec<Recorded>,
    at: Millis,
) -> Result<New> {
    let (workspace, (site, conversation_id), seq) = (planned.workspace, planned.key, planned.seq);
    let scope = Scope::conversation(conversation_id, head.conversation.visitor_id, head.conversation.proof.clone());
    if planned.announce {
        let (n, event) = (counters.next(workspace)?, Event::ConversationChanged { conversation_id });
        recorded.push(Recorded { workspace, site, n, scope: scope.clone(), event, at, carried: None });
    }
    let n = counters.next(workspace)?;
    let text = match &planned.draft.body {
        Body::Text(text) => text.as_str().to_owned(),
        Body::Image(_) => String::new(),
    };
    let (image, view) = planned.image.unzip();
    let message = Arc::new(Message {
        workspace_id: workspace,
        site_id: site,
        n,
        conversation_id,
        conversation_public_id: head.public_id.clone(),
        seq,
        author: planned.author,
        client_id: planned.draft.client_id,
        text,
        image: view,
        at,
    });
    let (event, carried) = (Event::MessageSent { conversation_id, seq }, message.clone());
    recorded.push(Recorded { workspace, site, n, scope, event, at, carried: Some(carried) });
    Ok(New { id, message, image })
}

fn attach(tx: &mut Tx, job: &Outgoing, draft: &Draft) -> Result<Option<(ImageId, ImageView)>> {
    let Body::Image(name) = &draft.body else { return Ok(None) };
    let attached = images::attach(tx, job.site, std::slice::from_ref(name), job.author.uploader())?;
    Ok(attached.first().map(|image| (image.id, ImageView::from(image))))
}

fn author_key(workspace: WorkspaceId, author: &Author, client_id: &super::ClientId) -> AuthorKey {
    (workspace, author.kind(), author.number(), client_id.clone())
}

fn says(message: &Message, body: &Body) -> bool {
    match body {
        Body::Text(text) => message.image.is_none() && message.text == text.as_str(),
        Body::Image(name) => message.image.as_ref().is_some_and(|image| image.id == name.as_str()),
    }
}
