//! A disk that is full, and a workspace that can't be written to.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use testkit::{Sandbox, Shop, offline};

/// Something mounted for a test; gone when dropped, which has to be after the server in it.
struct Mounted(PathBuf);

impl Mounted {
    /// `None`, said on stderr, where this process may not mount.
    fn new(arguments: &[&str], at: &Path) -> Option<Self> {
        let done = Command::new("mount").args(arguments).arg(at).output();
        if done.as_ref().is_ok_and(|done| done.status.success()) {
            return Some(Self(at.to_owned()));
        }
        eprintln!("not tested, since mounting is not allowed here: {}", at.display());
        None
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
        let _ = self.0.parent().map(fs::remove_dir_all);
    }
}

#[test]
fn a_disk_too_small_for_a_cluster_leaves_nothing() {
    if offline("a full disk during up") {
        return;
    }
    let sandbox = Sandbox::new();
    let Some(_disk) = Mounted::new(&["-t", "tmpfs", "-o", "size=25m", "tmpfs"], &sandbox.state()) else {
        return;
    };
    let shop = Shop::of(sandbox);

    let told = shop.run("slate-up", &[]).told(1);

    assert_eq!(told.error, "the local cluster was not made");
    assert!(told.cause.contains("No space left on device"), "{told:?}");
    assert_eq!(told.state, "nothing was changed");
    assert_eq!(fs::read_dir(shop.clusters()).unwrap().count(), 0);
}

#[test]
fn a_disk_that_fills_up_during_a_reset_leaves_the_live_database() {
    if offline("a full disk during a reset") {
        return;
    }
    let sandbox = Sandbox::new();
    let Some(_disk) = Mounted::new(&["-t", "tmpfs", "-o", "size=120m", "tmpfs"], &sandbox.state()) else {
        return;
    };
    let shop = Shop::of(sandbox);
    shop.up();
    let _ = shop.ask("INSERT INTO goods VALUES (3, 'vase')");
    let rows = "SELECT string_agg(name, ' ' ORDER BY id) FROM goods";
    shop.write(
        "seeds/2_much.sql",
        "INSERT INTO goods SELECT n, repeat('x', 500) FROM generate_series(10, 2000000) n;\n",
    );

    let told = shop.reset().told(1);

    assert!(told.cause.contains("No space left on device") || told.cause.contains("connection"), "{told:?}");
    assert!(told.state.contains("`shop`"), "{told:?}");
    fs::remove_file(shop.sandbox().work().join("seeds/2_much.sql")).unwrap();
    shop.up();
    assert_eq!(shop.ask(rows), "lamp rug vase");
    let _ = shop.reset().expect_code(0);
    assert_eq!((shop.databases().as_str(), shop.ask(rows).as_str()), ("shop", "lamp rug"));
}

#[test]
fn a_copy_that_finds_no_room_is_not_begun() {
    if offline("too little room for a copy") {
        return;
    }
    let sandbox = Sandbox::new();
    let Some(_disk) = Mounted::new(&["-t", "tmpfs", "-o", "size=120m", "tmpfs"], &sandbox.state()) else {
        return;
    };
    let shop = Shop::of(sandbox);
    shop.up();
    let before = shop.contents();
    let filler = shop.sandbox().state().join("filler");
    let free = nix::sys::statvfs::statvfs(&shop.sandbox().state()).unwrap();
    let free = free.blocks_available() * free.fragment_size();
    fs::write(&filler, vec![7; usize::try_from(free).unwrap() - 18_000_000]).unwrap();

    let told = shop.run("slate-snapshot", &["save", "before"]).told(4);

    assert_eq!(told.error, "there is no room for `shop__saved_1`");
    assert!(told.cause.contains("are free where the server keeps its databases"), "{told:?}");
    assert_eq!(told.hint, "slate-undo --gc --older-than 0 gives up what is kept");
    assert_eq!(shop.contents(), before);
    fs::remove_file(&filler).unwrap();
    let _ = shop.run("slate-snapshot", &["save", "before"]).expect_code(0);
}

#[test]
fn a_disk_without_room_for_a_note_says_so() {
    if offline("a full disk under cleanslate's own notes") {
        return;
    }
    let sandbox = Sandbox::new();
    let Some(_disk) = Mounted::new(&["-t", "tmpfs", "-o", "size=120m", "tmpfs"], &sandbox.state()) else {
        return;
    };
    let shop = Shop::of(sandbox);
    shop.up();
    let before = shop.contents();
    let filler = shop.sandbox().state().join("filler");

    for (name, arguments) in
        [("slate-clean", &["--yes"][..]), ("slate-reset", &["--drop", "--yes", "--no-undo"])]
    {
        // As much as fits.
        let _ = fs::write(&filler, vec![7; 130_000_000]);
        let output = shop.run(name, arguments);
        fs::remove_file(&filler).unwrap();

        if name == "slate-clean" && output.code == 0 {
            // A move needs no more than a note, and a server that ended may have left the room for it.
            let _ = shop.run("slate-undo", &["--yes"]).expect_code(0);
        } else {
            // A server that finds no room for its log recovers, and lets nobody in meanwhile.
            let told = output.told(if output.code == 5 { 5 } else { 1 });
            let known = ["No space left on device", "recovery", "ended the connection"];
            assert!(known.iter().any(|why| told.cause.contains(why)), "{told:?}");
            assert!(!told.state.contains("gone"), "{told:?}");
        }
        shop.up();
        assert_eq!(shop.contents(), before);
    }
    let _ = shop.reset().expect_code(0);
}

#[test]
fn a_workspace_that_cannot_be_written_to_works_all_the_same() {
    if offline("a read-only workspace") {
        return;
    }
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.work().join(".git")).unwrap();
    let work = sandbox.work();
    let shop = Shop::of(sandbox);
    let Some(_work) = Mounted::new(&["--bind", &work.display().to_string()], &work) else { return };
    let remount = Command::new("mount").args(["-o", "remount,ro,bind"]).arg(&work).status().unwrap();
    assert!(remount.success());
    assert!(fs::write(work.join("x"), "x").is_err());

    for (name, arguments) in [
        ("slate-up", &[][..]),
        ("slate-reset", &["--drop", "--yes", "--no-undo"]),
        ("slate-clean", &["--yes"]),
        ("slate-undo", &["--yes"]),
        ("slate-up", &[]),
    ] {
        let _ = shop.run(name, arguments).expect_code(0);
    }

    assert_eq!(shop.ask("SELECT count(*) FROM goods"), "2");
}
