//! Pictures, from the upload to the other side's screen and out of the folder again.

use std::path::{Path, PathBuf};

use hyper::{Method, StatusCode};
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use serde_json::{Value, json};

use crate::program::Program;
use crate::world::{Answer, Owner, Site, Visitor, World};

/// A picture of this size.
pub fn png(width: u32, height: u32) -> Vec<u8> {
    picture(width, height, ImageFormat::Png)
}

fn picture(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
    let pixels = RgbImage::from_fn(width, height, |x, y| Rgb([(x % 256) as u8, (y % 256) as u8, 90]));
    let mut bytes = std::io::Cursor::new(Vec::new());
    DynamicImage::ImageRgb8(pixels).write_to(&mut bytes, format).expect("a picture");
    bytes.into_inner()
}

/// A gif of two colours in turn.
pub fn animation(frames: usize) -> Vec<u8> {
    let mut encoder = gif::Encoder::new(Vec::new(), 20, 10, &[255, 0, 0, 0, 0, 255]).expect("a gif");
    for index in 0..frames {
        let pixels = vec![(index % 2) as u8; 200];
        encoder.write_frame(&gif::Frame::from_indexed_pixels(20, 10, pixels, None)).expect("a frame");
    }
    encoder.into_inner().expect("bytes")
}

/// A visitor uploads a picture.
pub async fn upload(world: &World, vera: &Visitor, bytes: Vec<u8>) -> Answer {
    let bearer = format!("Bearer {}", vera.token);
    let headers = [("authorization", bearer.as_str()), ("content-type", "image/png")];
    world.http().send(Method::POST, "/api/widget/images", &headers, bytes).await
}

async fn send(vera: &Visitor, client_id: &str, image: &Value) -> Answer {
    vera.command(json!({ "do": "send", "client_id": client_id, "image": image["id"] })).await
}

async fn shop(world: &World) -> (Owner, Site, Visitor) {
    let otto = world.owner("otto").await;
    let site = otto.site("Shop").await;
    let vera = world.visitor(&site, "vera").await;
    (otto, site, vera)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    entries
        .flatten()
        .flat_map(|entry| if entry.path().is_dir() { files(&entry.path()) } else { vec![entry.path()] })
        .collect()
}

#[tokio::test]
async fn a_picture_reaches_the_other_side() {
    let world = World::new().await;
    let (otto, site, vera) = shop(&world).await;
    let mut console = otto.listen().await;

    let image = upload(&world, &vera, picture(1_000, 500, ImageFormat::Jpeg)).await.ok()["image"].clone();
    assert_eq!((&image["width"], &image["height"], &image["animated"]), (&json!(1000), &json!(500), &json!(false)));
    let id = image["id"].as_str().expect("a name");
    assert!(id.starts_with("visitor_") && id.ends_with(".jpg"), "by what it is, not by what was claimed: {id}");
    assert_eq!(image["url"], format!("/uploads/chat_images/{id}"));

    send(&vera, "v1", &image).await.ok();
    let heard = console.event("message_sent").await["message"].clone();
    assert_eq!((&heard["image"], &heard["text"]), (&image, &json!("")));
    let conversation = heard["conversation_id"].as_i64().expect("a number");
    let thread = otto.get(&format!("sites/{}/conversations/{conversation}", site.id)).await;
    assert_eq!(thread["messages"][0]["image"], image);

    let full = world.http().get(image["url"].as_str().expect("a path")).await;
    assert_eq!(image::load_from_memory(&full.bytes).expect("a picture").width(), 1_000);
    let thumb = world.http().get(image["thumb_url"].as_str().expect("a path")).await;
    let small = image::load_from_memory(&thumb.bytes).expect("a picture");
    assert_eq!((small.width(), small.height()), (400, 200));
}

#[tokio::test]
async fn what_is_served_is_harmless_and_kept_by_browsers() {
    let world = World::new().await;
    let (_, _, vera) = shop(&world).await;
    let image = upload(&world, &vera, png(30, 20)).await.ok()["image"].clone();
    let url = image["url"].as_str().expect("a path");
    let answer = world.http().get(url).await;
    for (name, value) in [
        ("content-type", "image/png"),
        ("x-content-type-options", "nosniff"),
        ("content-disposition", "inline"),
        ("content-security-policy", "default-src 'none'; sandbox"),
        ("cross-origin-resource-policy", "cross-origin"),
        ("cache-control", "private, max-age=31536000, immutable"),
    ] {
        assert_eq!(answer.headers[name], value, "{name}");
    }
    let tag = answer.headers["etag"].to_str().expect("a tag").to_owned();
    let again = world.http().send(Method::GET, url, &[("if-none-match", &tag)], "").await;
    assert_eq!((again.status, again.bytes.len()), (StatusCode::NOT_MODIFIED, 0));
    let head = world.http().send(Method::HEAD, url, &[], "").await;
    assert_eq!((head.status, head.bytes.len()), (StatusCode::OK, 0));
    assert_eq!(head.headers["content-length"], answer.bytes.len().to_string());

    let name = image["id"].as_str().expect("a name");
    for bad in [
        "visitor_20240115_143200.jpg".to_owned(),
        name.replace(".png", ".jpg"),
        name.replace("visitor", "agent"),
        "..%2Focs.db".to_owned(),
        "%2e%2e".to_owned(),
        format!("thumbs/{name}x"),
    ] {
        let answer = world.http().get(&format!("/uploads/chat_images/{bad}")).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{bad}");
    }
}

#[tokio::test]
async fn a_picture_that_the_disk_changed_is_not_shown_and_is_reported() {
    let world = World::new().await;
    let (_otto, _site, vera) = shop(&world).await;
    let mut names = Vec::new();
    for turn in 0..2 {
        let image = upload(&world, &vera, png(40 + turn, 40)).await.ok()["image"].clone();
        send(&vera, &format!("v{turn}"), &image).await.ok();
        names.push(image["id"].as_str().expect("a name").to_owned());
    }
    assert!(doctor(&world).contains("ok     all 2 pictures are what was stored"), "{}", doctor(&world));
    let own = files(&world.data().join("images")).into_iter().find(|file| file.ends_with(&names[0]));
    let own = own.expect("its file");
    let mut bytes = std::fs::read(&own).expect("a file");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&own, bytes).expect("written");
    let show = async |name: &str| world.http().get(&format!("/uploads/chat_images/{name}")).await.status;
    assert_eq!(show(&names[0]).await, StatusCode::NOT_FOUND, "one bit is enough");
    assert_eq!(show(&names[1]).await, StatusCode::OK, "the others are shown");
    let found = doctor(&world);
    assert!(found.contains(&format!("WRONG  1 of 2 pictures are missing or damaged, such as {}", names[0])), "{found}");
    std::fs::remove_file(own).expect("removed");
    assert_eq!(show(&names[0]).await, StatusCode::NOT_FOUND);
    assert!(doctor(&world).contains("WRONG  1 of 2 pictures"));
}

/// What `ocs doctor` says of the running server's folder.
fn doctor(world: &World) -> String {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_ocs"));
    let said = command.env_clear().arg("doctor").arg("--data").arg(world.data()).output().expect("the program runs");
    String::from_utf8_lossy(&said.stdout).into_owned()
}

/// A server of its own, where Vera on a site of Otto's may upload.
async fn program_with_vera() -> (Program, Owner, Site, String) {
    let program = Program::start("info");
    let body = json!({ "email": "otto@example.org", "password": "correct horse battery", "name": "otto" });
    let otto = program.http.json(Method::POST, "/api/console/sign-up", &[], &body).await;
    let otto = Owner::from(program.http.clone(), otto);
    let site = otto.site("Shop").await;
    let start = json!({ "do": "start", "key": site.widget_key, "external_id": "vera", "anonymous": false });
    let state = program.http.json(Method::POST, "/api/widget", &[], &start).await.ok();
    let bearer = format!("Bearer {}", state["token"].as_str().expect("a token"));
    (program, otto, site, bearer)
}

async fn upload_to(program: &Program, bearer: &str, bytes: Vec<u8>) -> Answer {
    let headers = [("authorization", bearer), ("content-type", "image/png")];
    program.http.send(Method::POST, "/api/widget/images", &headers, bytes).await
}

/// Noise that no format makes smaller: about three bytes a pixel as a png.
fn noise(width: u32, height: u32) -> Vec<u8> {
    let mut state = 88_172_645_463_325_252_u64;
    let pixels = RgbImage::from_fn(width, height, |_, _| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        Rgb([state as u8, (state >> 8) as u8, (state >> 16) as u8])
    });
    let mut bytes = std::io::Cursor::new(Vec::new());
    DynamicImage::ImageRgb8(pixels).write_to(&mut bytes, ImageFormat::Png).expect("a picture");
    bytes.into_inner()
}

/// What a process has read so far, in bytes, from files and connections.
fn bytes_read(process: u32) -> u64 {
    let counts = std::fs::read_to_string(format!("/proc/{process}/io")).expect("its counts");
    let line = counts.lines().find_map(|line| line.strip_prefix("rchar: ")).expect("a figure");
    line.parse().expect("a number")
}

#[tokio::test]
async fn a_picture_is_compared_once_and_a_look_that_needs_no_bytes_reads_none() {
    let (program, _, _, vera) = program_with_vera().await;
    let picture = noise(700, 700);
    let image = upload_to(&program, &vera, picture).await.ok()["image"].clone();
    let url = image["url"].as_str().expect("a path");
    let length = program.http.get(url).await.bytes.len() as u64;
    let tag = format!("\"{}\"", image["id"].as_str().expect("a name"));

    let before = bytes_read(program.id());
    for _ in 0..50 {
        let head = program.http.send(Method::HEAD, url, &[], "").await;
        assert_eq!(head.headers["content-length"], length.to_string());
        let same = program.http.send(Method::GET, url, &[("if-none-match", &tag)], "").await;
        assert_eq!(same.status, StatusCode::NOT_MODIFIED);
    }
    let looks = bytes_read(program.id()) - before;
    assert!(looks < length, "{looks} bytes read for a hundred looks at a picture of {length}");

    let before = bytes_read(program.id());
    for _ in 0..10 {
        assert_eq!(program.http.get(url).await.bytes.len() as u64, length);
    }
    let shown = bytes_read(program.id()) - before;
    assert!(shown < length * 11, "{shown} bytes read to send {length} ten times");
}

#[tokio::test]
async fn who_does_not_read_a_picture_holds_no_file() {
    let (program, _, _, vera) = program_with_vera().await;
    let image = upload_to(&program, &vera, noise(1_200, 1_200)).await.ok()["image"].clone();
    let url = image["url"].as_str().expect("a path");
    let mut held = Vec::new();
    for _ in 0..20 {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        // So small that the system does not take the picture on behalf of a client that does not read it.
        let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(4_096).expect("a small buffer");
        let mut connection = socket.connect(program.address.parse().expect("an address")).await.expect("a connection");
        let request = format!("GET {url} HTTP/1.1\r\nhost: {}\r\n\r\n", program.address);
        connection.write_all(request.as_bytes()).await.expect("sent");
        let mut head = [0; 12];
        connection.read_exact(&mut head).await.expect("an answer begins");
        assert_eq!(&head, b"HTTP/1.1 200");
        held.push(connection);
    }
    // Another visitor's picture comes through meanwhile, and by then all of the others stand still.
    program.http.get(url).await;
    let open = std::fs::read_dir(format!("/proc/{}/fd", program.id())).expect("its descriptors");
    let pictures = open.flatten().filter_map(|entry| std::fs::read_link(entry.path()).ok());
    let pictures = pictures.filter(|path| path.extension().is_some_and(|end| end == "png")).count();
    assert!(pictures <= 2, "{pictures} files are open for connections that read nothing");
}

#[tokio::test]
async fn an_animation_plays_on() {
    let world = World::new().await;
    let (_, _, vera) = shop(&world).await;
    let image = upload(&world, &vera, animation(5)).await.ok()["image"].clone();
    assert_eq!(image["animated"], true);
    let answer = world.http().get(image["url"].as_str().expect("a path")).await;
    assert_eq!(answer.headers["content-type"], "image/gif");
    let mut decoder = gif::DecodeOptions::new().read_info(&answer.bytes[..]).expect("a gif");
    let mut frames = 0;
    while decoder.read_next_frame().expect("a frame").is_some() {
        frames += 1;
    }
    assert_eq!(frames, 5);
    let thumb = world.http().get(image["thumb_url"].as_str().expect("a path")).await;
    assert_eq!(thumb.headers["content-type"], "image/jpeg", "a still");
}

#[tokio::test]
async fn uploads_that_are_refused() {
    let world = World::new().await;
    let (otto, site, vera) = shop(&world).await;
    for bad in [b"hello".to_vec(), b"<svg/>".to_vec(), Vec::new(), png(3_000, 3_000)[..2_000].to_vec()] {
        let answer = upload(&world, &vera, bad).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (400, "invalid_image"));
    }
    let limits = json!({ "messages_per_minute": 20, "api_per_minute": 60, "image_bytes": 65_536 });
    otto.configure(&site, json!({ "limits": limits })).await;
    let noise: Vec<u8> = png(10, 10).into_iter().chain(std::iter::repeat_n(7, 70_000)).collect();
    let answer = upload(&world, &vera, noise).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (413, "image_too_large"));
    let nobody = world.http().send(Method::POST, "/api/widget/images", &[], png(3, 3)).await;
    assert_eq!(nobody.code(), "invalid_token");
}

/// A picture that the fuzzer begins with, by its name in `fuzz/seeds/images`.
fn seed(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds/images");
    std::fs::read(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[tokio::test]
async fn bombs_are_refused_and_the_next_picture_is_taken() {
    let world = World::new().await;
    let (_, _, vera) = shop(&world).await;
    let page = b"<!doctype html><script>alert(1)</script>".to_vec();
    for (what, bomb) in [
        ("a script that begins like a gif", seed("bad-script.gif")),
        ("a script that begins like a png", [&seed("good-rgb.png")[..8], &page[..]].concat()),
        ("a page that is called a png", page.clone()),
        ("a drawing with a script", seed("bad-vector.svg")),
        ("an animation that no browser of ours would see move", seed("bad-animated.webp")),
    ] {
        let answer = upload(&world, &vera, bomb).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (400, "invalid_image"), "{what}");
    }
    for (what, bomb, reason) in [
        ("60,000 pixels a side, said in 74 bytes", seed("bad-flood.png"), "too_many_pixels"),
        ("a screen of four thousand million pixels", seed("bad-screen.gif"), "too_many_pixels"),
        ("a sound photo of 33 megapixels", photo_claiming(6_600, 5_000), "too_many_pixels"),
        ("an animation of 10,000 frames", animation(10_000), "animation_too_long"),
        ("an animation of 240 million pixels", large_animation(8), "animation_too_long"),
    ] {
        let answer = upload(&world, &vera, bomb).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (413, reason), "{what}");
    }
    upload(&world, &vera, png(30, 20)).await.ok();
}

/// The same png with another size in its header, whose checksum is right.
fn claiming(png: &[u8], width: u32, height: u32) -> Vec<u8> {
    let header = [&width.to_be_bytes(), &height.to_be_bytes(), &png[24..29]].concat();
    [&png[..8], &chunk(b"IHDR", &header), &png[33..]].concat()
}

/// A chunk of a png.
fn chunk(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let checked = [kind, body].concat();
    let checksum = checked.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| if sum & 1 == 1 { sum >> 1 ^ 0xedb8_8320 } else { sum >> 1 })
    });
    let length = u32::try_from(body.len()).expect("short").to_be_bytes();
    [&length, checked.as_slice(), &(!checksum).to_be_bytes()].concat()
}

/// The png with a chunk more, right behind its header.
fn with_chunk(png: &[u8], kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
    [&png[..33], &chunk(kind, body), &png[33..]].concat()
}

/// A photo that says it is of this size.
fn photo_claiming(width: u16, height: u16) -> Vec<u8> {
    let mut photo = picture(60, 40, ImageFormat::Jpeg);
    let frame = photo.windows(2).position(|marker| marker == [0xff, 0xc0]).expect("a frame");
    photo[frame + 5..frame + 7].copy_from_slice(&height.to_be_bytes());
    photo[frame + 7..frame + 9].copy_from_slice(&width.to_be_bytes());
    photo
}

/// An animation of frames of 30 million pixels each, in a few kilobytes a frame.
fn large_animation(frames: usize) -> Vec<u8> {
    let (width, height) = (7_500, 4_000);
    let mut encoder = gif::Encoder::new(Vec::new(), width, height, &[255, 0, 0, 0, 0, 255]).expect("a gif");
    let before = encoder.get_ref().len();
    let pixels = vec![0; usize::from(width) * usize::from(height)];
    encoder.write_frame(&gif::Frame::from_indexed_pixels(width, height, pixels, None)).expect("a frame");
    let bytes = encoder.into_inner().expect("bytes");
    let (head, frame) = bytes[..bytes.len() - 1].split_at(before);
    [head, &frame.repeat(frames), b";"].concat()
}

/// The most that a process had in memory, in MiB.
fn peak(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).expect("its status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a figure");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") / 1024
}

#[tokio::test]
async fn the_largest_picture_is_taken_in_bounded_memory_and_larger_ones_by_their_header_refused() {
    let (program, _, _, vera) = program_with_vera().await;
    let upload = async |bytes: Vec<u8>| upload_to(&program, &vera, bytes).await;

    let small = png(30, 20);
    assert_eq!(claiming(&small, 30, 20), small, "only the size is another");
    upload(small.clone()).await.ok();
    let before = peak(program.id());
    for (width, height) in [(8_000, 8_000), (20_000, 20_000), (8_001, 1), (1, 8_001), (5_478, 5_478)] {
        let answer = upload(claiming(&small, width, height)).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (413, "too_many_pixels"), "{width} x {height}");
        let said = String::from_utf8_lossy(&answer.bytes);
        assert!(said.contains("8,000 a side and 30 million in all"), "{width} x {height}: {said}");
    }
    let refused = peak(program.id()) - before;
    assert!(refused < 32, "{refused} MiB for pictures that their header betrays");

    // One colour: 90 MB of pixels in less than 300 kB.
    let mut bomb = std::io::Cursor::new(Vec::new());
    let pixels = DynamicImage::ImageRgb8(RgbImage::from_pixel(5_477, 5_477, Rgb([200, 30, 30])));
    pixels.write_to(&mut bomb, ImageFormat::Png).expect("a picture");
    let bomb = bomb.into_inner();
    assert!(bomb.len() < 1_000_000, "{}", bomb.len());
    let answers = futures_util::future::join_all((0..3).map(|_| upload(bomb.clone()))).await;
    for answer in answers {
        let image = answer.ok()["image"].clone();
        assert_eq!((&image["width"], &image["height"]), (&json!(5_477), &json!(5_477)));
    }
    // Pixels of a picture for each worker, and what is made of them.
    let workers = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    let held = peak(program.id()) - before;
    assert!(held < 100 + 160 * workers, "{held} MiB for three pictures at once, with {workers} workers");
}

/// Processor time that a process has used, in hundredths of a second.
fn processor_time(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/stat")).expect("its status");
    let (_, fields) = status.rsplit_once(')').expect("a name in brackets");
    fields.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<u64>().expect("a number")).sum()
}

#[tokio::test]
async fn the_worst_of_each_format_stays_within_the_memory_that_is_stated() {
    let (program, _, _, vera) = program_with_vera().await;
    upload_to(&program, &vera, png(30, 20)).await.ok();
    let before = peak(program.id());
    // One colour of sixteen bits in four channels, to be turned by a quarter: 227 KiB.
    let mut deep = Vec::new();
    let mut encoder = png::Encoder::new(&mut deep, 7_999, 3_750);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Sixteen);
    let mut writer = encoder.write_header().expect("a header");
    let mut rows = writer.stream_writer().expect("rows");
    for _ in 0..3_750 {
        std::io::Write::write_all(&mut rows, &[0x60; 7_999 * 8]).expect("a row");
    }
    rows.finish().expect("written");
    writer.finish().expect("written");
    let turned = [b"II*\0\x08\0\0\0".as_slice(), &[1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0]].concat();
    let deep = with_chunk(&deep, b"eXIf", &turned);
    assert_eq!(upload_to(&program, &vera, deep).await.ok()["image"]["width"], 3_750, "upright");
    let held = peak(program.id()) - before;
    let stated = ocs::images::MAX_MEMORY as u64 / 1024 / 1024;
    assert!(held < stated + 48, "{held} MiB where {stated} are stated, and what was uploaded");
}

#[tokio::test]
async fn what_its_headers_betray_costs_no_processor() {
    let (program, _, _, vera) = program_with_vera().await;
    upload_to(&program, &vera, png(30, 20)).await.ok();
    let (bomb, before) = (large_animation(8), processor_time(program.id()));
    let answer = upload_to(&program, &vera, bomb).await;
    assert_eq!(answer.code(), "animation_too_long");
    let used = processor_time(program.id()) - before;
    assert!(used < 30, "{used} hundredths of a second for an animation that is refused");
}

#[tokio::test]
async fn opening_a_chat_does_not_wait_for_pictures() {
    let (program, otto, site, _) = program_with_vera().await;
    let other = otto.site("Other").await;
    let http = &program.http;
    let come = async |site: &Site, name: &str| {
        let start = json!({ "do": "start", "key": site.widget_key, "external_id": name, "anonymous": false });
        http.json(Method::POST, "/api/widget", &[], &start).await.ok()["token"].as_str().expect("a token").to_owned()
    };
    let before = processor_time(program.id());
    let bomb = large_animation(6);
    let mut uploads = tokio::task::JoinSet::new();
    for number in 0..6 {
        let bearer = format!("Bearer {}", come(&site, &format!("mallory {number}")).await);
        let (http, bomb) = (http.clone(), bomb.clone());
        uploads.spawn(async move {
            let headers = [("authorization", bearer.as_str()), ("content-type", "image/gif")];
            http.send(Method::POST, "/api/widget/images", &headers, bomb).await
        });
    }
    // They are at work.
    while processor_time(program.id()) < before + 60 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    come(&other, "wanda").await;
    assert!(uploads.try_join_next().is_none(), "the chat opens before any of the pictures is done");
    uploads.abort_all();
}

/// The pixel in the middle of what is served under this path.
async fn middle(world: &World, path: &Value) -> [u8; 3] {
    let served = world.http().get(path.as_str().expect("a path")).await.bytes;
    let shown = image::load_from_memory(&served).expect("a picture").into_rgb8();
    shown.get_pixel(shown.width() / 2, shown.height() / 2).0
}

#[tokio::test]
async fn colours_look_as_they_did() {
    let world = World::new().await;
    let (_, _, vera) = shop(&world).await;
    let flat = |colour: [u8; 3], side: u32| {
        let mut bytes = std::io::Cursor::new(Vec::new());
        let pixels = DynamicImage::ImageRgb8(RgbImage::from_pixel(side, side, Rgb(colour)));
        pixels.write_to(&mut bytes, ImageFormat::Png).expect("a picture");
        bytes.into_inner()
    };
    let numbers = |values: &[u32]| values.iter().flat_map(|value| value.to_be_bytes()).collect::<Vec<u8>>();
    let wide = [200, 60, 60];
    let shown = [217, 42, 52];
    // What Apple's screens have, as chromaticities.
    let screen = numbers(&[31_270, 32_900, 68_000, 32_000, 26_500, 69_000, 15_000, 6_000]);
    for (what, file, expected) in [
        ("a jpg with the profile of a wide screen", seed("good-wide-colours.jpg"), shown),
        ("a png with it", seed("good-wide-colours.png"), shown),
        ("a webp with it", seed("good-wide-colours.webp"), shown),
        ("a png that names those colours", with_chunk(&flat(wide, 500), b"cICP", &[12, 13, 0, 1]), shown),
        ("a png that measures them", with_chunk(&flat(wide, 500), b"cHRM", &screen), shown),
        (
            "a png of light, not of what is seen",
            with_chunk(&flat([128; 3], 500), b"gAMA", &numbers(&[100_000])),
            [188; 3],
        ),
        ("a png with the usual gamma", with_chunk(&flat(wide, 500), b"gAMA", &numbers(&[45_455])), wide),
        ("a png that says nothing", flat(wide, 500), wide),
        ("inks of a press", seed("good-inks.jpg"), [215, 242, 255]),
    ] {
        let image = upload(&world, &vera, file).await.ok()["image"].clone();
        for form in ["url", "thumb_url"] {
            let seen = middle(&world, &image[form]).await;
            let near = seen.iter().zip(expected).all(|(seen, expected)| seen.abs_diff(expected) <= 4);
            assert!(near, "{what}: {form} shows {seen:?} instead of {expected:?}");
        }
    }
}

#[tokio::test]
async fn a_jpg_whose_colours_come_one_after_the_other_keeps_them() {
    let world = World::new().await;
    let (_, _, vera) = shop(&world).await;
    for name in ["good-separate-scans.jpg", "good-still.webp", "good-lossless.webp"] {
        let image = upload(&world, &vera, seed(name)).await.ok()["image"].clone();
        let end = if name.contains("lossless") { ".png" } else { ".jpg" };
        assert!(image["id"].as_str().expect("a name").ends_with(end), "{image}");
        let served = world.http().get(image["url"].as_str().expect("a path")).await.bytes;
        let shown = image::load_from_memory(&served).expect("a picture").into_rgb8();
        for (x, y, colour) in
            [(12, 8, [220, 30, 30]), (50, 8, [30, 200, 40]), (12, 40, [40, 50, 210]), (50, 40, [230, 230, 40])]
        {
            let seen = shown.get_pixel(x, y).0;
            let near = seen.iter().zip(colour).all(|(seen, colour)| seen.abs_diff(colour) <= 8);
            assert!(near, "{name}: {seen:?} instead of {colour:?}");
        }
    }
}

/// Runs one of libjpeg-turbo's programs on these bytes.
fn libjpeg(program: &str, options: &[&str], input: &[u8]) -> Vec<u8> {
    use std::process::Stdio;
    let command =
        std::process::Command::new(program).args(options).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut child = command.expect("libjpeg-turbo-progs is installed (scripts/install-test-tools)");
    let (mut into, input) = (child.stdin.take().expect("its input"), input.to_vec());
    let writing = std::thread::spawn(move || std::io::Write::write_all(&mut into, &input));
    let output = child.wait_with_output().expect("its output");
    writing.join().expect("no panic").expect("all of it is read");
    assert!(output.status.success(), "{program} {options:?}");
    output.stdout
}

#[tokio::test]
async fn jpgs_of_every_layout_look_as_another_decoder_shows_them() {
    let world = World::new().await;
    let (_, _, vera) = shop(&world).await;
    // Smooth, colourful, and of no whole number of blocks.
    let pixels =
        RgbImage::from_fn(131, 93, |x, y| Rgb([(x * 255 / 131) as u8, (y * 255 / 93) as u8, ((x + y) % 256) as u8]));
    let plain = [b"P6 131 93 255\n".as_slice(), pixels.as_raw()].concat();
    let folder = tempfile::tempdir().expect("a folder");
    let scans = folder.path().join("scans");
    std::fs::write(&scans, "0;\n2;\n1;\n").expect("written");
    let scans = scans.to_str().expect("a path");
    for sampling in ["1x1", "2x1", "1x2", "2x2", "4x1", "1x1,2x2,1x1"] {
        for layout in [
            vec!["-baseline"],
            vec!["-progressive"],
            vec!["-scans", scans],
            vec!["-baseline", "-restart", "1"],
            vec!["-scans", scans, "-restart", "3B"],
            vec!["-grayscale"],
            vec!["-rgb"],
            vec!["-optimize", "-quality", "40"],
        ] {
            let options = [["-sample", sampling].as_slice(), &layout].concat();
            let file = libjpeg("cjpeg", &options, &plain);
            let expected = libjpeg("djpeg", &["-rgb"], &file);
            let expected = &expected[expected.len() - pixels.as_raw().len()..];
            let answer = upload(&world, &vera, file).await;
            // Refused is right as well, if it is another decoder's oddity; wrong is not.
            if answer.code() == "invalid_image" && sampling.contains(',') {
                continue;
            }
            let image = answer.ok()["image"].clone();
            let served = world.http().get(image["url"].as_str().expect("a path")).await.bytes;
            let shown = image::load_from_memory(&served).expect("a picture").into_rgb8();
            let distance: u64 = shown.iter().zip(expected).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
            let mean = distance as f64 / expected.len() as f64;
            assert!(mean < 4.0, "{options:?}: {mean} away on average");
        }
    }
}

/// Delays of an animated png's frames, in hundredths of a second, and how often it plays.
fn png_frames(bytes: &[u8]) -> (Vec<u16>, u32) {
    let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().expect("a png");
    let control = *reader.info().animation_control().expect("an animation");
    let mut buffer = vec![0; reader.output_buffer_size().expect("a size")];
    let mut frame = || {
        reader.next_frame(&mut buffer).expect("a frame");
        reader.info().frame_control().expect("its timing").delay_num
    };
    ((0..control.num_frames).map(|_| frame()).collect(), control.num_plays)
}

#[tokio::test]
async fn an_animated_png_plays_on() {
    let world = World::new().await;
    let (_, _, vera) = shop(&world).await;
    let before = seed("good-animated.png");
    let image = upload(&world, &vera, before.clone()).await.ok()["image"].clone();
    assert_eq!(image["animated"], true);
    let served = world.http().get(image["url"].as_str().expect("a path")).await.bytes;
    let frames = png_frames(&served);
    assert!(frames.0.len() > 1);
    assert_eq!(frames, png_frames(&before));
}

#[tokio::test]
async fn gifs_that_browsers_show_are_shown() {
    let world = World::new().await;
    let (_, _, vera) = shop(&world).await;
    let sound = animation(3);
    let frame = sound.windows(2).position(|bytes| bytes == [0x21, 0xf9]).expect("a frame");
    let mut beyond = sound.clone();
    let place = beyond.windows(5).position(|bytes| bytes == [0x2c, 0, 0, 0, 0]).expect("a place");
    beyond[place + 1] = 9;
    let unknown = [&sound[..frame], &[0x21, 0x99, 3, 1, 2, 3, 0], &sound[frame..]].concat();
    for (what, file) in [
        ("a frame reaches beyond the screen", beyond),
        ("an extension that nobody knows", unknown),
        ("the end is missing", sound[..sound.len() - 1].to_vec()),
        ("something stands where the end should be", [&sound[..sound.len() - 1], b"\0\0\0"].concat()),
    ] {
        let image = upload(&world, &vera, file).await.ok()["image"].clone();
        assert_eq!((&image["width"], &image["height"]), (&json!(20), &json!(10)), "{what}");
        let served = world.http().get(image["url"].as_str().expect("a path")).await.bytes;
        let mut decoder = gif::DecodeOptions::new().read_info(&served[..]).expect("a gif");
        let mut frames = 0;
        while decoder.read_next_frame().expect("a frame").is_some() {
            frames += 1;
        }
        assert_eq!(frames, 3, "{what}");
    }
}

#[tokio::test]
async fn what_hides_in_a_picture_is_not_served() {
    let world = World::new().await;
    let (_, _, vera) = shop(&world).await;
    for name in [
        "good-exif.jpg",
        "good-profile.jpg",
        "good-profile.png",
        "good-animated.png",
        "good-animated.gif",
        "good-with-a-page-behind.png",
    ] {
        let image = upload(&world, &vera, seed(name)).await.ok()["image"].clone();
        for url in ["url", "thumb_url"] {
            let served = world.http().get(image[url].as_str().expect("a path")).await.bytes;
            let held = |word: &&str| served.windows(word.len()).any(|part| part == word.as_bytes());
            let found: Vec<_> =
                ["secret", "<script", "Exif", "ICC_PROFILE", "iCCP", "tEXt"].into_iter().filter(held).collect();
            assert!(found.is_empty(), "{name} still holds {found:?}");
        }
    }
}

#[tokio::test]
async fn only_its_uploader_can_send_it_and_only_once() {
    let world = World::new().await;
    let (otto, site, vera) = shop(&world).await;
    let other = otto.site("Other").await;
    let image = upload(&world, &vera, png(30, 20)).await.ok()["image"].clone();

    let mallory = world.visitor(&site, "mallory").await;
    assert_eq!(send(&mallory, "m1", &image).await.code(), "invalid_request");
    let elsewhere = world.visitor(&other, "vera").await;
    assert_eq!(send(&elsewhere, "e1", &image).await.code(), "invalid_request");

    let first = send(&vera, "v1", &image).await.ok();
    assert_eq!(send(&vera, "v1", &image).await.ok(), first, "a retry");
    assert_eq!(send(&vera, "v2", &image).await.code(), "conflict");
    let made_up = json!({ "id": "visitor_20240115_143200_0123456789abcdef0123456789abcdef.png" });
    assert_eq!(send(&vera, "v3", &made_up).await.code(), "invalid_request");
}

#[tokio::test]
async fn an_hour_has_room_for_sixty() {
    let world = World::new().await;
    let (_, _, vera) = shop(&world).await;
    for _ in 0..60 {
        upload(&world, &vera, png(4, 4)).await.ok();
    }
    let over = upload(&world, &vera, png(4, 4)).await;
    assert_eq!((over.status.as_u16(), over.code().as_str()), (429, "too_many_requests"));
    assert!(over.headers.contains_key("retry-after"));
    world.pass(3_600);
    upload(&world, &vera, png(4, 4)).await.ok();
}

#[tokio::test]
async fn what_nobody_sends_is_swept_after_a_day() {
    let mut world = World::new().await;
    let (_, _, vera) = shop(&world).await;
    let kept = upload(&world, &vera, png(900, 20)).await.ok()["image"].clone();
    let loose = upload(&world, &vera, png(900, 20)).await.ok()["image"].clone();
    send(&vera, "v1", &kept).await.ok();
    let folder = world.data().join("images");
    assert_eq!(files(&folder).len(), 4);

    world.pass(24 * 3_600 + 601);
    assert_eq!(send(&vera, "v2", &loose).await.code(), "invalid_request", "too old to be sent");
    // A server sweeps when it starts.
    world.stop().await;
    world.start().await;
    for _ in 0..200 {
        if files(&folder).len() == 2 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let url = |image: &Value| image["url"].as_str().expect("a path").to_owned();
    assert_eq!(world.http().get(&url(&loose)).await.status, StatusCode::NOT_FOUND);
    assert_eq!(world.http().get(&url(&kept)).await.status, StatusCode::OK);
    assert_eq!(files(&folder).len(), 2);
}

#[tokio::test]
async fn a_logo_is_made_small_replaced_and_goes_with_its_site() {
    let world = World::new().await;
    let (otto, site, vera) = shop(&world).await;
    let image = upload(&world, &vera, png(900, 20)).await.ok()["image"].clone();
    send(&vera, "v1", &image).await.ok();
    let put = async |bytes: Vec<u8>| {
        let headers = [("cookie", otto.cookie.as_str()), ("x-csrf-token", otto.csrf.as_str())];
        let path = format!("/api/console/sites/{}/logo", site.id);
        world.http().send(Method::PUT, &path, &headers, bytes).await
    };
    let first = put(png(600, 300)).await.ok()["logo_url"].as_str().expect("a path").to_owned();
    let answer = world.http().get(&first).await;
    let logo = image::load_from_memory(&answer.bytes).expect("a picture");
    assert_eq!((logo.width(), logo.height()), (256, 128));
    assert_eq!(put(b"<svg/>".to_vec()).await.code(), "invalid_image");
    let second = put(png(100, 100)).await.ok()["logo_url"].as_str().expect("a path").to_owned();
    assert_ne!(first, second);
    gone(&world, &first).await;

    otto.call(Method::DELETE, &format!("sites/{}", site.id), json!({})).await.ok();
    gone(&world, &second).await;
    gone(&world, image["url"].as_str().expect("a path")).await;
    gone(&world, image["thumb_url"].as_str().expect("a path")).await;
    assert_eq!(files(&world.data().join("images")), Vec::<PathBuf>::new());
}

/// The sweep follows the change at once, but beside it.
async fn gone(world: &World, url: &str) {
    for _ in 0..500 {
        // Without a body: the file may go while one is on its way.
        if world.http().send(Method::HEAD, url, &[], "").await.status == StatusCode::NOT_FOUND {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("{url} is still there");
}
