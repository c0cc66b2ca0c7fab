//! systemd by D-Bus: the system's manager, and the users' own.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use model::BoxFuture;
use zbus::OwnedObjectPath;
use zbus::{Connection, Proxy};

use super::user_manager;
use crate::names::{Names, UNIFIED};
use crate::port::{Managers, ProbeError, Retired, StopError, UnitsSeen};
use crate::seen::{Manager, Unit, UnitKind};

const SYSTEMD: &str = "org.freedesktop.systemd1";
const MANAGER: &str = "org.freedesktop.systemd1.Manager";
/// The longest that the end of a unit is waited for: systemd kills after 90 s by default.
const END_WITHIN: Duration = Duration::from_secs(120);
/// Between two looks at whether it has ended.
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// Where files go that stand in the way of a mask.
const ASIDE: &str = "/var/backups/tradeagent/units";

/// What `ExecStart` says of one command: path, arguments, whether failure counts, then times and codes.
type ExecStart = (String, Vec<String>, bool, u64, u64, u64, u64, u32, i32, i32);

/// systemd, where it is the init.
#[derive(Debug, Clone)]
pub struct Systemd {
    aside: PathBuf,
}

impl Default for Systemd {
    fn default() -> Self {
        Self::new()
    }
}

impl Systemd {
    /// As this machine has it.
    pub fn new() -> Self {
        Self { aside: PathBuf::from(ASIDE) }
    }

    /// Of a user: files go aside in the user's own folder.
    pub(super) fn of_user() -> Self {
        let home = std::env::var_os("HOME").map_or_else(|| PathBuf::from("/nonexistent"), PathBuf::from);
        Self { aside: home.join(".local/state/tradeagent/units") }
    }

    /// Whether systemd is the init of this machine (sd_booted(3)).
    pub fn is_here() -> bool {
        Path::new("/run/systemd/system").is_dir()
    }
}

impl Managers for Systemd {
    fn units<'a>(&'a self, names: &'a Names) -> BoxFuture<'a, Result<UnitsSeen, ProbeError>> {
        Box::pin(async move {
            if !Self::is_here() {
                return Ok((Vec::new(), Vec::new()));
            }
            let system = connect(Manager::System).await.map_err(probe("the system's units"))?;
            let mut units =
                units_of(&system, Manager::System, names).await.map_err(probe("the system's units"))?;
            let (of_users, unseen) = user_manager::units(names).await?;
            units.extend(of_users);
            Ok((units, unseen))
        })
    }

    fn retire<'a>(
        &'a self,
        unit: &'a Unit,
        note: &'a (dyn Fn(&Retired) -> Result<(), String> + Send + Sync),
    ) -> BoxFuture<'a, Result<(), StopError>> {
        Box::pin(async move {
            if user_manager::is_anothers(unit.manager) {
                return user_manager::retire(unit, note).await;
            }
            let connection = connect(unit.manager).await.map_err(|error| stop(&unit.name, &error))?;
            self.retire_on(&connection, unit, note).await
        })
    }

    fn restore<'a>(&'a self, retired: &'a Retired) -> BoxFuture<'a, Result<(), StopError>> {
        Box::pin(async move {
            if user_manager::is_anothers(retired.manager) {
                return user_manager::restore(retired).await;
            }
            let connection = connect(retired.manager).await.map_err(|error| stop(&retired.name, &error))?;
            restore_on(&connection, retired).await
        })
    }
}

fn probe(what: &str) -> impl Fn(zbus::Error) -> ProbeError {
    move |error| ProbeError(format!("{what} cannot be read: {error}"))
}

fn stop(name: &str, error: &zbus::Error) -> StopError {
    let denied = ["AccessDenied", "InteractiveAuthorizationRequired", "PermissionDenied"];
    match error {
        zbus::Error::MethodError(kind, text, _)
            if denied.iter().any(|word| kind.as_str().ends_with(word)) =>
        {
            StopError::NotAllowed(format!("{name}: {}", text.as_deref().unwrap_or("access denied")))
        }
        other => StopError::Failed(format!("{name}: {other}")),
    }
}

pub(super) async fn connect(manager: Manager) -> zbus::Result<Connection> {
    match manager {
        Manager::System => Connection::system().await,
        Manager::User(user) => {
            zbus::connection::Builder::address(format!("unix:path=/run/user/{user}/bus").as_str())
                .build()
                .await
        }
    }
}

async fn manager(connection: &Connection) -> zbus::Result<Proxy<'static>> {
    Proxy::new(connection, SYSTEMD, "/org/freedesktop/systemd1", MANAGER).await
}

/// Those of `names` that the manager knows.
pub(super) async fn units_of(
    connection: &Connection,
    kept_by: Manager,
    names: &Names,
) -> zbus::Result<Vec<Unit>> {
    let manager = manager(connection).await?;
    let mut units = Vec::new();
    for name in &names.units {
        // Loads its file, and starts nothing.
        let path: OwnedObjectPath = manager.call("LoadUnit", &(name.as_str(),)).await?;
        if let Some(unit) = read_unit(connection, kept_by, name, &path).await? {
            units.push(unit);
        }
    }
    Ok(units)
}

async fn read_unit(
    connection: &Connection,
    kept_by: Manager,
    name: &str,
    path: &OwnedObjectPath,
) -> zbus::Result<Option<Unit>> {
    let unit = Proxy::new(connection, SYSTEMD, path.clone(), "org.freedesktop.systemd1.Unit").await?;
    let load: String = unit.get_property("LoadState").await?;
    let active: String = unit.get_property("ActiveState").await?;
    if load == "not-found" && active == "inactive" {
        return Ok(None);
    }
    let is_timer = name.ends_with(".timer");
    let (mut main_pid, mut command, mut next) = (None, Vec::new(), None);
    if is_timer {
        let timer = Proxy::new(connection, SYSTEMD, path.clone(), "org.freedesktop.systemd1.Timer").await?;
        let at: u64 = timer.get_property("NextElapseUSecRealtime").await?;
        next = (at > 0 && at < u64::MAX).then_some(at);
    } else if name.ends_with(".service") {
        let service =
            Proxy::new(connection, SYSTEMD, path.clone(), "org.freedesktop.systemd1.Service").await?;
        let pid: u32 = service.get_property("MainPID").await?;
        main_pid = (pid > 0).then_some(pid);
        let starts: Vec<ExecStart> = service.get_property("ExecStart").await?;
        command = starts.into_iter().next().map(|start| start.1).unwrap_or_default();
    }
    Ok(Some(Unit {
        name: name.to_owned(),
        manager: kept_by,
        kind: if is_timer { UnitKind::Timer } else { UnitKind::Service },
        active,
        sub: unit.get_property("SubState").await?,
        file_state: if load == "masked" { load } else { unit.get_property("UnitFileState").await? },
        fragment: unit.get_property("FragmentPath").await?,
        main_pid,
        command,
        next,
    }))
}

impl Systemd {
    pub(super) async fn retire_on(
        &self,
        connection: &Connection,
        unit: &Unit,
        note: &(dyn Fn(&Retired) -> Result<(), String> + Send + Sync),
    ) -> Result<(), StopError> {
        let name = unit.name.as_str();
        let failed = |error: zbus::Error| stop(name, &error);
        let aside = self.aside.join(name);
        let moved = is_in_the_way(Path::new(&unit.fragment))
            .then(|| (unit.fragment.clone(), aside.to_string_lossy().into_owned()));
        note(&Retired { linked: linked(unit), ..Retired::of(unit, moved.clone()) })
            .map_err(|error| StopError::Failed(format!("{name} is left as it is: {error}")))?;
        let manager = manager(connection).await.map_err(failed)?;
        if unit.is_up() {
            let _job: OwnedObjectPath = manager.call("StopUnit", &(name, "replace")).await.map_err(failed)?;
            wait_for_the_end(connection, &manager, name).await?;
        }
        if unit.is_enabled() {
            let _: Vec<(String, String, String)> =
                manager.call("DisableUnitFiles", &(vec![name], false)).await.map_err(failed)?;
        }
        if let Some((from, to)) = &moved {
            let put = |error: std::io::Error| match error.kind() {
                std::io::ErrorKind::PermissionDenied => StopError::NotAllowed(format!("{from}: {error}")),
                _ => StopError::Failed(format!("{from}: {error}")),
            };
            fs::create_dir_all(&self.aside).map_err(put)?;
            put_aside(Path::new(from), Path::new(to)).map_err(put)?;
        }
        // The old unified one has our own unit's name: masked, ours could not start.
        if name != UNIFIED {
            let _: Vec<(String, String, String)> =
                manager.call("MaskUnitFiles", &(vec![name], false, true)).await.map_err(failed)?;
        }
        let () = manager.call("Reload", &()).await.map_err(failed)?;
        // What failed stays in the list of failed units otherwise.
        let _: zbus::Result<()> = manager.call("ResetFailedUnit", &(name,)).await;
        Ok(())
    }
}

/// Whether a unit's file stands where the mask, a link to /dev/null, has to: a packaged one does not.
fn is_in_the_way(file: &Path) -> bool {
    let Some(folder) = file.parent() else { return false };
    let is_the_operators = folder.ends_with("systemd/system") && folder.starts_with("/etc");
    let is_a_users = folder.ends_with("systemd/user") && !folder.starts_with("/usr");
    (is_the_operators || is_a_users) && file.symlink_metadata().is_ok_and(|meta| meta.is_file())
}

/// Where the link leads by which the unit's file was made known: disabling takes the link away.
fn linked(unit: &Unit) -> Option<String> {
    let folder = match unit.manager {
        Manager::System => PathBuf::from("/etc/systemd/system"),
        Manager::User(_) => PathBuf::from(std::env::var_os("HOME")?).join(".config/systemd/user"),
    };
    let target = fs::read_link(folder.join(&unit.name)).ok()?;
    // A mask is a link too, and a relative one leads to the folder's own files.
    (target.is_absolute() && target != Path::new("/dev/null")).then(|| target.to_string_lossy().into_owned())
}

/// Moves a file, also to another file system.
fn put_aside(from: &Path, to: &Path) -> std::io::Result<()> {
    match fs::rename(from, to) {
        Err(error) if error.kind() == std::io::ErrorKind::CrossesDevices => {
            fs::copy(from, to)?;
            fs::remove_file(from)
        }
        done => done,
    }
}

#[expect(clippy::disallowed_methods, reason = "waits for another program on a real machine")]
async fn wait_for_the_end(connection: &Connection, manager: &Proxy<'_>, name: &str) -> Result<(), StopError> {
    let failed = |error: zbus::Error| stop(name, &error);
    let ended = async {
        loop {
            let path: OwnedObjectPath = manager.call("LoadUnit", &(name,)).await.map_err(failed)?;
            let unit = Proxy::new(connection, SYSTEMD, path, "org.freedesktop.systemd1.Unit")
                .await
                .map_err(failed)?;
            let active: String = unit.get_property("ActiveState").await.map_err(failed)?;
            if active == "inactive" || active == "failed" {
                return Ok(());
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    };
    tokio::time::timeout(END_WITHIN, ended).await.unwrap_or_else(|_| {
        Err(StopError::Failed(format!("{name} does not end within {} s", END_WITHIN.as_secs())))
    })
}

pub(super) async fn restore_on(connection: &Connection, retired: &Retired) -> Result<(), StopError> {
    let name = retired.name.as_str();
    let failed = |error: zbus::Error| stop(name, &error);
    let manager = manager(connection).await.map_err(failed)?;
    let _: Vec<(String, String, String)> =
        manager.call("UnmaskUnitFiles", &(vec![name], false)).await.map_err(failed)?;
    if let Some((from, to)) = &retired.moved
        && Path::new(to).exists()
    {
        if retired.manager == Manager::System
            && !(from.starts_with("/etc/systemd/system/") && to.starts_with(ASIDE))
        {
            return Err(StopError::Failed(format!("{name}: {to} is not where units are put aside")));
        }
        put_aside(Path::new(to), Path::new(from))
            .map_err(|error| StopError::Failed(format!("{from}: {error}")))?;
    }
    let () = manager.call("Reload", &()).await.map_err(failed)?;
    if let Some(target) = &retired.linked {
        let _: Vec<(String, String, String)> =
            manager.call("LinkUnitFiles", &(vec![target], false, true)).await.map_err(failed)?;
    }
    if retired.was_enabled {
        let _: (bool, Vec<(String, String, String)>) =
            manager.call("EnableUnitFiles", &(vec![name], false, true)).await.map_err(failed)?;
    }
    if retired.was_up {
        let _: OwnedObjectPath = manager.call("StartUnit", &(name, "replace")).await.map_err(failed)?;
    }
    Ok(())
}
