//! State that must not cross `fork`. A child has all of its parent's memory, but only the thread
//! that forked. So if other threads had taken something that is counted, it would never come back,
//! and a lock that one of them held would never be released. Therefore each process has its own
//! state.

use std::process;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

/// A value that each process makes anew. A child does not touch its parent's value, not even to
/// drop it.
#[derive(Debug)]
pub(crate) struct PerProcess<T> {
    first: Node<T>,
}

/// The value of one process, followed by the value of its child.
#[derive(Debug)]
struct Node<T> {
    process: u32,
    /// `None` only while it is being dropped.
    kept: Option<T>,
    next: [Place<T>; PLACES],
}

/// A place for the value of a child. A thread that claims it fills it at once. If the process
/// forked between a thread's claim and its filling, the place stays claimed and empty in the child,
/// which uses the next one.
#[derive(Debug)]
struct Place<T> {
    claimed_by: AtomicU32,
    node: OnceLock<Box<Node<T>>>,
}

/// A place is lost only if a fork hits these few instructions, and only in a child that forks
/// itself.
const PLACES: usize = 4;
const NOBODY: u32 = 0;

impl<T: Default> PerProcess<T> {
    /// The value of this process.
    pub fn get(&self) -> &T {
        self.get_in(process::id())
    }

    /// Like [`get`](Self::get), for a caller that knows the id of this process.
    ///
    /// A process's own value is the last one with its id in the chain, because the system may reuse
    /// an ancestor's id.
    pub fn get_in(&self, process: u32) -> &T {
        let mut node = &self.first;
        while let Some(next) = node.next() {
            node = next;
        }
        if node.process != process {
            node = node.followed_by(process);
        }
        node.kept.as_ref().expect("kept until it is dropped")
    }
}

impl<T: Default> Default for PerProcess<T> {
    fn default() -> Self {
        Self { first: Node::of(process::id()) }
    }
}

impl<T: Default> Node<T> {
    fn of(process: u32) -> Self {
        Self { process, kept: Some(T::default()), next: std::array::from_fn(|_| Place::free()) }
    }

    /// The node of a process that follows this one; any of the process's threads may make it.
    fn followed_by(&self, process: u32) -> &Self {
        // It is made before a place is claimed, so that the claim lasts only as long as moving it
        // takes.
        let made = Box::new(Self::of(process));
        for place in &self.next {
            match place.claim(process) {
                Err(by) if by != process => continue,
                Err(_) => return place.filled(),
                Ok(_) => return place.node.get_or_init(|| made),
            }
        }
        unreachable!("each place was claimed by a thread that a fork has left behind");
    }
}

impl<T> Node<T> {
    fn next(&self) -> Option<&Self> {
        self.next.iter().find_map(|place| place.node.get()).map(|node| &**node)
    }
}

impl<T> Place<T> {
    fn free() -> Self {
        Self { claimed_by: AtomicU32::new(NOBODY), node: OnceLock::new() }
    }

    fn claim(&self, process: u32) -> Result<u32, u32> {
        let (success, failure) = (Ordering::AcqRel, Ordering::Acquire);
        self.claimed_by.compare_exchange(NOBODY, process, success, failure)
    }

    /// Waits for the node that another thread of this process is about to put here.
    fn filled(&self) -> &Node<T> {
        loop {
            match self.node.get() {
                Some(node) => return node,
                None => thread::yield_now(),
            }
        }
    }
}

impl<T> Drop for Node<T> {
    fn drop(&mut self) {
        if self.process != process::id() {
            std::mem::forget(self.kept.take());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::process;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Arc, Barrier, Mutex};
    use std::thread;

    use super::PerProcess;

    const CHILD: u32 = u32::MAX;
    const GRANDCHILD: u32 = u32::MAX - 1;

    #[test]
    fn each_process_begins_anew() {
        let counts: PerProcess<AtomicUsize> = PerProcess::default();
        let count = |process| counts.get_in(process).fetch_add(1, Ordering::Relaxed);
        assert_eq!([count(process::id()), count(process::id())], [0, 1]);
        assert_eq!(counts.get().load(Ordering::Relaxed), 2);
        assert_eq!([count(CHILD), count(CHILD)], [0, 1]);
        assert_eq!([count(GRANDCHILD), count(GRANDCHILD)], [0, 1]);
        // The system gave a descendant the id of an ancestor that had ended.
        assert_eq!(count(CHILD), 0);
    }

    /// S50: as if another thread had held the lock at the moment of a fork.
    #[test]
    fn s50_a_lock_of_the_parent_holds_up_no_child() {
        let locks: PerProcess<Mutex<()>> = PerProcess::default();
        let held = locks.get().lock().expect("free");
        drop(locks.get_in(CHILD).try_lock().expect("the child's own"));
        drop(held);
    }

    #[test]
    fn the_threads_of_a_child_have_one_in_common() {
        let counts: PerProcess<AtomicUsize> = PerProcess::default();
        let together = Barrier::new(8);
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    together.wait();
                    counts.get_in(CHILD).fetch_add(1, Ordering::Relaxed);
                });
            }
        });
        assert_eq!(counts.get_in(CHILD).load(Ordering::Relaxed), 8);
    }

    /// As if a thread of the parent had claimed a place, but not filled it, when the process
    /// forked.
    #[test]
    fn a_place_that_a_fork_left_claimed_is_passed_by() {
        let counts: PerProcess<AtomicUsize> = PerProcess::default();
        counts.first.next[0].claim(CHILD).expect("free");
        counts.get_in(GRANDCHILD).fetch_add(1, Ordering::Relaxed);
        assert_eq!(counts.get_in(GRANDCHILD).load(Ordering::Relaxed), 1);
    }

    /// Records that it was dropped.
    #[derive(Default)]
    struct Told(Mutex<Option<Arc<()>>>);

    #[test]
    fn what_is_another_processs_is_not_dropped() {
        let (of_parent, of_child) = (Arc::new(()), Arc::new(()));
        let tells: PerProcess<Told> = PerProcess::default();
        *tells.get().0.lock().expect("free") = Some(of_parent.clone());
        *tells.get_in(CHILD).0.lock().expect("free") = Some(of_child.clone());
        drop(tells);
        assert_eq!((Arc::strong_count(&of_parent), Arc::strong_count(&of_child)), (1, 2));
    }
}
