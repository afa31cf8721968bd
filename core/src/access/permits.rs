//! A limit on concurrent hashing, which costs memory and a core: a number of turns at a time, and a
//! bounded queue (S18). Tenants are served in rotation (round robin), so that none waits for the
//! whole queue of another (S19).

use std::collections::VecDeque;
use std::process;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, Thread};

use crate::error::{Error, Result};
use crate::process::PerProcess;
use crate::values::AgencyId;

/// Gives turns, or fails at once when the queue is full. A child of `fork` has turns of its own:
/// the turns that threads of its parent had taken would never come back.
#[derive(Debug)]
pub(crate) struct Permits {
    at_once: usize,
    queue: usize,
    turns: PerProcess<Mutex<Turns>>,
}

/// The size of a turn. The sizes do not wait for each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Size {
    Ordinary,
    /// For a hash that takes more memory: one at a time, beside the ordinary ones.
    Large,
}

/// The turns that run and those that wait, in one process.
#[derive(Debug, Default)]
struct Turns {
    ordinary: usize,
    large: usize,
    /// One for each tenant with waiting threads, the next one first.
    lanes: VecDeque<Lane>,
}

/// The waiting threads of one tenant, the first one first. A lane without a tenant has the attempts
/// at login domains that nobody holds.
#[derive(Debug)]
struct Lane {
    tenant: Option<AgencyId>,
    waiting: VecDeque<Arc<Waiter>>,
}

#[derive(Debug)]
struct Waiter {
    size: Size,
    /// Whether it may still be displaced, and fail with `Busy`.
    can_go: bool,
    thread: Thread,
    /// Whether it got its turn or was displaced.
    answer: OnceLock<bool>,
}

/// A turn, which ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Permit<'p> {
    permits: &'p Permits,
    tenant: Option<AgencyId>,
    size: Size,
    process: u32,
}

impl Permits {
    pub fn new(at_once: usize, queue: usize) -> Self {
        Self { at_once: at_once.max(1), queue, turns: PerProcess::default() }
    }

    /// Waits for a turn. If the queue is full, the newest waiting thread of the tenant that has the
    /// most gives way, so that no tenant's load keeps others out; if there is none to displace,
    /// fails with `Busy`.
    pub fn take(&self, tenant: Option<&AgencyId>, size: Size) -> Result<Permit<'_>> {
        let mut turns = self.lock();
        let full = turns.waiting() >= self.queue;
        let room = !full || turns.can_displace(tenant);
        // A tenant that fills the queue gets `Busy` for either size: if only one size did, the
        // answer would tell which accounts have hashes of that size.
        if !room && turns.waiting_of(tenant) > 0 {
            return Err(Error::busy());
        }
        if self.is_free(&turns, size) {
            *turns.running(size) += 1;
            return Ok(self.permit(tenant.cloned(), size));
        }
        if !room || (full && !turns.displace(tenant)) {
            return Err(Error::busy());
        }
        let waiter = turns.join(tenant, size, true);
        drop(turns);
        if waiter.wait() { Ok(self.permit(tenant.cloned(), size)) } else { Err(Error::busy()) }
    }

    fn permit(&self, tenant: Option<AgencyId>, size: Size) -> Permit<'_> {
        Permit { permits: self, tenant, size, process: process::id() }
    }

    fn is_free(&self, turns: &Turns, size: Size) -> bool {
        match size {
            Size::Ordinary => turns.ordinary < self.at_once,
            Size::Large => turns.large < 1,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Turns> {
        self.turns.get().lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many wait for their turn.
    #[cfg(test)]
    pub fn waiting(&self) -> usize {
        self.lock().waiting()
    }
}

impl Turns {
    fn running(&mut self, size: Size) -> &mut usize {
        match size {
            Size::Ordinary => &mut self.ordinary,
            Size::Large => &mut self.large,
        }
    }

    fn waiting(&self) -> usize {
        self.lanes.iter().map(|lane| lane.waiting.len()).sum()
    }

    fn waiting_of(&self, tenant: Option<&AgencyId>) -> usize {
        let mut lanes = self.lanes.iter().filter(|lane| lane.tenant.as_ref() == tenant);
        lanes.next().map_or(0, |lane| lane.waiting.len())
    }

    /// The longest lane, if it is still at least as long as this tenant's lane after one thread has
    /// moved from the one to the other: otherwise two tenants would displace each other for ever.
    fn longer_lane(&self, tenant: Option<&AgencyId>) -> Option<usize> {
        let lanes = self.lanes.iter().enumerate();
        let (at, longest) = lanes.max_by_key(|(_, lane)| lane.waiting.len())?;
        (longest.waiting.len() > self.waiting_of(tenant) + 1).then_some(at)
    }

    fn can_displace(&self, tenant: Option<&AgencyId>) -> bool {
        self.longer_lane(tenant).is_some()
    }

    /// Displaces a waiting thread to make room for one of this tenant, if there is one that can go.
    fn displace(&mut self, tenant: Option<&AgencyId>) -> bool {
        let Some(at) = self.longer_lane(tenant) else { return false };
        let waiting = &mut self.lanes[at].waiting;
        let newest = waiting.iter().rposition(|waiter| waiter.can_go);
        let Some(gone) = newest.and_then(|newest| waiting.remove(newest)) else { return false };
        gone.tell(false);
        true
    }

    fn join(&mut self, tenant: Option<&AgencyId>, size: Size, can_go: bool) -> Arc<Waiter> {
        let (thread, answer) = (thread::current(), OnceLock::new());
        let waiter = Arc::new(Waiter { size, can_go, thread, answer });
        match self.lanes.iter_mut().find(|lane| lane.tenant.as_ref() == tenant) {
            Some(lane) => lane.waiting.push_back(waiter.clone()),
            None => {
                let waiting = VecDeque::from([waiter.clone()]);
                self.lanes.push_back(Lane { tenant: tenant.cloned(), waiting });
            }
        }
        waiter
    }

    /// Ends a turn and gives it to the next tenant that waits for one of this size.
    fn pass_on(&mut self, size: Size) {
        let of_size = |lane: &Lane| lane.waiting.iter().position(|waiter| waiter.size == size);
        let mut lanes = self.lanes.iter().enumerate();
        let next = lanes.find_map(|(at, lane)| of_size(lane).map(|first| (at, first)));
        let Some((at, first)) = next else {
            *self.running(size) -= 1;
            return;
        };
        let Some(mut lane) = self.lanes.remove(at) else { return };
        if let Some(waiter) = lane.waiting.remove(first) {
            waiter.tell(true);
        }
        if !lane.waiting.is_empty() {
            self.lanes.push_back(lane);
        }
    }
}

impl Waiter {
    fn tell(&self, has_turn: bool) {
        // It is told only once, because it is no longer in a lane.
        let _ = self.answer.set(has_turn);
        self.thread.unpark();
    }

    fn wait(&self) -> bool {
        loop {
            match self.answer.get() {
                Some(has_turn) => return *has_turn,
                None => thread::park(),
            }
        }
    }
}

impl Permit<'_> {
    /// Exchanges this turn for a large one. It never fails with `Busy`, and it gives this turn back
    /// before it waits, so that others can use it.
    pub fn enlarged(self) -> Self {
        if self.size == Size::Large {
            return self;
        }
        let (permits, tenant) = (self.permits, self.tenant.clone());
        let mut turns = permits.lock();
        let waiter = match permits.is_free(&turns, Size::Large) {
            true => {
                turns.large += 1;
                None
            }
            false => Some(turns.join(tenant.as_ref(), Size::Large, false)),
        };
        drop(turns);
        drop(self);
        waiter.map(|waiter| waiter.wait());
        permits.permit(tenant, Size::Large)
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        // A child that was forked during a turn has nothing to give back.
        if self.process == process::id() {
            self.permits.lock().pass_on(self.size);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread::{self, Scope, ScopedJoinHandle};

    use super::{Permit, Permits, Size};
    use crate::error::ErrorKind;
    use crate::values::AgencyId;

    fn agency(id: &str) -> AgencyId {
        AgencyId::parse(id).expect("an id")
    }

    fn ordinary<'p>(permits: &'p Permits, tenant: &str) -> crate::Result<Permit<'p>> {
        permits.take(Some(&agency(tenant)), Size::Ordinary)
    }

    fn is_busy(taken: crate::Result<Permit<'_>>) -> bool {
        taken.is_err_and(|error| error.kind() == ErrorKind::Busy)
    }

    /// Takes a turn in a new thread, and returns once that thread waits.
    fn queue<'s, T: Send + 's>(
        scope: &'s Scope<'s, '_>,
        permits: &'s Permits,
        (tenant, size): (&'s str, Size),
        then: impl FnOnce(crate::Result<Permit<'s>>) -> T + Send + 's,
    ) -> ScopedJoinHandle<'s, T> {
        let before = permits.waiting();
        let tenant = agency(tenant);
        let queued = scope.spawn(move || then(permits.take(Some(&tenant), size)));
        while permits.waiting() == before {
            assert!(!queued.is_finished(), "it did not wait");
            thread::yield_now();
        }
        queued
    }

    #[test]
    fn s18_a_full_queue_is_busy_at_once() {
        let permits = Permits::new(2, 0);
        let take = || ordinary(&permits, "northwind");
        let (first, second) = (take().expect("free"), take().expect("free"));
        assert!(is_busy(take()));
        drop(first);
        let third = take().expect("free again");
        assert!(is_busy(take()));
        drop((second, third));
        take().expect("free again");
    }

    #[test]
    fn s18_never_more_at_once_than_allowed() {
        let permits = Permits::new(3, 1_000);
        let (running, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        thread::scope(|scope| {
            for n in 0..24 {
                let (permits, running, most) = (&permits, &running, &most);
                scope.spawn(move || {
                    for _ in 0..50 {
                        let tenant = ["northwind", "contoso", "fabrikam"][n % 3];
                        let _turn = ordinary(permits, tenant).expect("the queue is long");
                        let now = running.fetch_add(1, Ordering::SeqCst) + 1;
                        most.fetch_max(now, Ordering::SeqCst);
                        thread::yield_now();
                        running.fetch_sub(1, Ordering::SeqCst);
                    }
                });
            }
        });
        assert!(most.into_inner() <= 3);
        assert_eq!(permits.waiting(), 0);
    }

    /// S19: a tenant waits for one turn of each tenant before it, not for their whole queues.
    #[test]
    fn s19_tenants_have_their_turns_by_turns() {
        let permits = Permits::new(1, 100);
        let order = Mutex::new(Vec::new());
        let held = ordinary(&permits, "northwind").expect("free");
        thread::scope(|scope| {
            let tenants = ["northwind", "northwind", "northwind", "contoso", "contoso", "fabrikam"];
            for tenant in tenants {
                let order = &order;
                queue(scope, &permits, (tenant, Size::Ordinary), move |turn| {
                    let _turn = turn.expect("the queue is long");
                    order.lock().expect("no panic").push(tenant);
                });
            }
            drop(held);
        });
        let by_turns = ["northwind", "contoso", "fabrikam", "northwind", "contoso", "northwind"];
        assert_eq!(order.into_inner().expect("no panic"), by_turns);
    }

    /// S19: a queue that one tenant has filled is full for that tenant alone.
    #[test]
    fn s19_a_tenant_that_floods_keeps_no_other_out() {
        let permits = Permits::new(1, 3);
        let held = ordinary(&permits, "northwind").expect("free");
        thread::scope(|scope| {
            let flood = |_| queue(scope, &permits, ("northwind", Size::Ordinary), is_busy);
            let flood: Vec<_> = (0..3).map(flood).collect();
            assert!(is_busy(ordinary(&permits, "northwind")));
            let guest = scope.spawn(|| is_busy(ordinary(&permits, "contoso")));
            let mut flood = flood.into_iter().rev();
            let newest = flood.next().expect("there");
            assert!(newest.join().expect("no panic"), "made room");
            assert_eq!(permits.waiting(), 3);
            assert!(is_busy(ordinary(&permits, "northwind")), "there is no room again");
            drop(held);
            assert!(!guest.join().expect("no panic"));
            assert!(!flood.any(|waiting| waiting.join().expect("no panic")));
        });
    }

    /// S19, S18: a thread that waits for the large turn keeps nothing that others wait for.
    #[test]
    fn s19_who_waits_for_a_large_turn_holds_no_ordinary_one() {
        let permits = Permits::new(1, 2);
        let (northwind, contoso) = (agency("northwind"), agency("contoso"));
        let large = permits.take(Some(&northwind), Size::Large).expect("free");
        thread::scope(|scope| {
            let flood = |_| queue(scope, &permits, ("northwind", Size::Large), is_busy);
            let flood: Vec<_> = (0..2).map(flood).collect();
            drop(permits.take(Some(&contoso), Size::Ordinary).expect("another tenant's"));
            drop(permits.take(None, Size::Ordinary).expect("nobody's"));
            assert!(is_busy(permits.take(Some(&northwind), Size::Large)));
            assert!(is_busy(permits.take(Some(&northwind), Size::Ordinary)), "of either size");
            drop(large);
            assert!(!flood.into_iter().any(|waiting| waiting.join().expect("no panic")));
        });
    }

    #[test]
    fn s19_who_enlarges_its_turn_gives_the_other_one_back() {
        let permits = Permits::new(1, 0);
        let northwind = agency("northwind");
        let large = permits.take(Some(&northwind), Size::Large).expect("free");
        let small = ordinary(&permits, "northwind").expect("free");
        thread::scope(|scope| {
            let enlarging = scope.spawn(|| small.enlarged().size);
            while permits.waiting() == 0 {
                assert!(!enlarging.is_finished(), "it did not wait");
                thread::yield_now();
            }
            drop(ordinary(&permits, "contoso").expect("nobody has it"));
            drop(large);
            assert_eq!(enlarging.join().expect("no panic"), Size::Large);
        });
        drop(permits.take(None, Size::Large).expect("free again"));
    }
}
