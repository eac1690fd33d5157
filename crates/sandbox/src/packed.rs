//! Memory for processes that live for milliseconds.
#![expect(unsafe_code, reason = "an allocator gives out memory, which has no safe form")]

use std::alloc::{GlobalAlloc, Layout};
use std::cell::UnsafeCell;
use std::fmt;
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// How much is packed; what is larger than an eighth of it comes from the other allocator at once.
const SIZE: usize = 256 << 10;

/// An allocator that packs the first blocks of a process side by side into one piece of memory, until [`Packed::end`]; then,
/// and when the piece is full, another one serves.
///
/// An allocator for programs that live long gives each size of block pages of its own. A launcher makes some hundred blocks and
/// ends: to it each of these pages is a page fault, and one more in each copy of it.
pub struct Packed<A> {
    other: A,
    memory: UnsafeCell<MaybeUninit<[u8; SIZE]>>,
    taken: AtomicUsize,
    ended: AtomicBool,
}

// SAFETY: parts of the memory are given out by moving `taken`, which is atomic, so no part is given out twice.
unsafe impl<A: Sync> Sync for Packed<A> {}

impl<A> Packed<A> {
    /// Packs first, and goes over to `other`.
    pub const fn before(other: A) -> Self {
        Self {
            other,
            memory: UnsafeCell::new(MaybeUninit::uninit()),
            taken: AtomicUsize::new(0),
            ended: AtomicBool::new(false),
        }
    }

    /// From now on the other allocator serves; blocks that were packed stay valid.
    pub fn end(&self) {
        self.ended.store(true, Ordering::Relaxed);
    }

    fn start(&self) -> *mut u8 {
        self.memory.get().cast()
    }

    /// Where in the piece a block is, if it is in it.
    fn place(&self, block: *mut u8) -> Option<usize> {
        block.addr().checked_sub(self.start().addr()).filter(|place| *place < SIZE)
    }

    fn take(&self, layout: Layout) -> Option<*mut u8> {
        if self.ended.load(Ordering::Relaxed) || layout.size() > SIZE / 8 {
            return None;
        }
        let start = self.start();
        let mut taken = self.taken.load(Ordering::Relaxed);
        loop {
            let from = start.addr().checked_add(taken)?.checked_next_multiple_of(layout.align())? - start.addr();
            let until = from.checked_add(layout.size()).filter(|until| *until <= SIZE)?;
            match self.taken.compare_exchange_weak(taken, until, Ordering::Relaxed, Ordering::Relaxed) {
                // SAFETY: `from` is within the piece.
                Ok(_) => return Some(unsafe { start.add(from) }),
                Err(now) => taken = now,
            }
        }
    }

    /// Moves the end of the last block; says whether it was the last.
    fn move_end(&self, end: usize, to: usize) -> bool {
        to <= SIZE && self.taken.compare_exchange(end, to, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

// SAFETY: a block is either a part of the piece that was given out once and is aligned, or it is the other allocator's; which of
// the two it is its address says, so it goes back to where it came from.
unsafe impl<A: GlobalAlloc> GlobalAlloc for Packed<A> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps what the other allocator asks for, which is what this one asks for.
        self.take(layout).unwrap_or_else(|| unsafe { self.other.alloc(layout) })
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        let Some(block) = self.take(layout) else {
            // SAFETY: as in `alloc`.
            return unsafe { self.other.alloc_zeroed(layout) };
        };
        // SAFETY: the block is that long, and nobody else's.
        unsafe { block.write_bytes(0, layout.size()) };
        block
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        match self.place(block) {
            Some(place) => {
                self.move_end(place + layout.size(), place);
            }
            // SAFETY: it is not in the piece, so the other allocator made it.
            None => unsafe { self.other.dealloc(block, layout) },
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let Some(place) = self.place(block) else {
            // SAFETY: it is not in the piece, so the other allocator made it.
            return unsafe { self.other.realloc(block, layout, size) };
        };
        if self.move_end(place + layout.size(), place.saturating_add(size)) || size <= layout.size() {
            return block;
        }
        // SAFETY: the caller vouches that this size fits this alignment; both blocks are valid for the bytes that are copied,
        // and they are different blocks.
        unsafe {
            let new = self.alloc(Layout::from_size_align_unchecked(size, layout.align()));
            if !new.is_null() {
                new.copy_from_nonoverlapping(block, layout.size());
                self.dealloc(block, layout);
            }
            new
        }
    }
}

impl<A> fmt::Debug for Packed<A> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Packed").field("taken", &self.taken).field("ended", &self.ended).finish_non_exhaustive()
    }
}
