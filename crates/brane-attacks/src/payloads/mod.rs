//! One file a row of the matrix; [`call`] is any system call by its number, and [`won`] a success.

use crate::scene::{Attempt, Scene};

mod call;
mod n01;
mod n02;
mod n05;
mod n06;
mod n08;
mod n09;
mod n10;
mod n11;
mod n13;
mod n14;
mod r02;
mod r05;
mod r06;
mod r08;
#[cfg(target_arch = "x86_64")]
mod s03;
mod s04;
mod s05;
mod s06;
mod s11;
#[cfg(target_arch = "x86_64")]
mod s12;
mod s13;
mod s14;
mod s16;
mod won;

/// Runs the payload that the scene names; after a success, and only then, its nonce is written.
pub(crate) fn run(scene: &mut Scene) -> Attempt {
    named(scene.payload()).ok_or(libc::ENOENT)?(scene)?;
    let nonce = scene.nonce();
    scene.say(nonce.as_bytes());
    Ok(())
}

fn named(payload: &str) -> Option<fn(&mut Scene) -> Attempt> {
    Some(match payload {
        "call" => call::run,
        "n01" => n01::run,
        "n02" => n02::run,
        "n05" => n05::run,
        "n06" => n06::run,
        "n08" => n08::run,
        "n09" => n09::run,
        "n10" => n10::run,
        "n11" => n11::run,
        "n13" => n13::run,
        "n14" => n14::run,
        "r02" => r02::run,
        "r05" => r05::run,
        "r06" => r06::run,
        "r08" => r08::run,
        #[cfg(target_arch = "x86_64")]
        "s03" => s03::run,
        "s04" => s04::run,
        "s05" => s05::run,
        "s06" => s06::run,
        "s11" => s11::run,
        #[cfg(target_arch = "x86_64")]
        "s12" => s12::run,
        "s13" => s13::run,
        "s14" => s14::run,
        "s16" => s16::run,
        "won" => won::run,
        _ => return None,
    })
}
