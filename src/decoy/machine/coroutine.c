/* Stacks and the switch between them. Stacks come in slabs of one mapping each, with a guard page
 * below every stack; the switch saves the registers that a called function must keep. */
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "decoy/machine/coroutine.h"
#include "decoy/machine/limits.h"

#if defined(__SANITIZE_ADDRESS__)
#define WITH_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_ASAN 1
#endif
#endif
#ifdef WITH_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

#define SLAB_STACKS 32
#define GUARD_BYTES ((size_t)4096)
/* Pages at the top of a stack that stay when the rest is given back. */
#define TRIM_KEEPS ((size_t)4096)

struct coroutine {
	void *stack_pointer; /* while it waits */
	void *resumer;       /* while it runs */
	struct coroutine_pool *pool;
	struct coroutine *next_free;
	uint8_t *stack; /* lowest usable byte */
	void (*run)(void *context);
	void *context;
	bool done;
#ifdef WITH_ASAN
	void *fake_stack, *resumer_fake_stack;
	const void *resumer_bottom;
	size_t resumer_size;
#endif
};

struct slab {
	struct slab *next;
	void *mapping;
	struct coroutine coroutines[SLAB_STACKS];
};

struct coroutine_pool {
	struct slab *slabs;
	struct coroutine *free;
	size_t stacks, most;
};

/* Saves the callee's registers on the current stack, stores its pointer at *from, goes on at `to`.
 */
void coroutine_switch(void **from, void *to);
/* Where a new stack begins: calls its function with its argument, which never returns. */
void coroutine_entry(void);

#if defined(__x86_64__)
/* System V: rbx, rbp, r12-r15, and the control words of SSE and x87. */
__asm__(".text\n"
	".globl coroutine_switch\n"
	".hidden coroutine_switch\n"
	".type coroutine_switch, @function\n"
	"coroutine_switch:\n"
	"	.cfi_startproc\n"
	"	endbr64\n"
	"	pushq %rbp\n"
	"	pushq %rbx\n"
	"	pushq %r12\n"
	"	pushq %r13\n"
	"	pushq %r14\n"
	"	pushq %r15\n"
	"	subq $8, %rsp\n"
	"	stmxcsr (%rsp)\n"
	"	fnstcw 4(%rsp)\n"
	"	movq %rsp, (%rdi)\n"
	"	movq %rsi, %rsp\n"
	"	ldmxcsr (%rsp)\n"
	"	fldcw 4(%rsp)\n"
	"	addq $8, %rsp\n"
	"	popq %r15\n"
	"	popq %r14\n"
	"	popq %r13\n"
	"	popq %r12\n"
	"	popq %rbx\n"
	"	popq %rbp\n"
	"	ret\n"
	"	.cfi_endproc\n"
	".size coroutine_switch, .-coroutine_switch\n"
	".globl coroutine_entry\n"
	".hidden coroutine_entry\n"
	".type coroutine_entry, @function\n"
	"coroutine_entry:\n"
	"	endbr64\n"
	"	movq %rbx, %rdi\n"
	"	xorl %ebp, %ebp\n"
	"	call *%r12\n"
	"	ud2\n"
	".size coroutine_entry, .-coroutine_entry\n");
/* What a new stack holds, in words from its pointer on. */
#define FRAME_WORDS    8
#define FRAME_RETURN   7
#define FRAME_ARGUMENT 5 /* rbx */
#define FRAME_FUNCTION 4 /* r12 */
#elif defined(__aarch64__)
/* AAPCS64: x19-x30, d8-d15. */
__asm__(".text\n"
	".globl coroutine_switch\n"
	".hidden coroutine_switch\n"
	".type coroutine_switch, %function\n"
	"coroutine_switch:\n"
	"	.cfi_startproc\n"
	"	hint #34\n"
	"	sub sp, sp, #160\n"
	"	stp x19, x20, [sp, #0]\n"
	"	stp x21, x22, [sp, #16]\n"
	"	stp x23, x24, [sp, #32]\n"
	"	stp x25, x26, [sp, #48]\n"
	"	stp x27, x28, [sp, #64]\n"
	"	stp x29, x30, [sp, #80]\n"
	"	stp d8, d9, [sp, #96]\n"
	"	stp d10, d11, [sp, #112]\n"
	"	stp d12, d13, [sp, #128]\n"
	"	stp d14, d15, [sp, #144]\n"
	"	mov x9, sp\n"
	"	str x9, [x0]\n"
	"	mov sp, x1\n"
	"	ldp x19, x20, [sp, #0]\n"
	"	ldp x21, x22, [sp, #16]\n"
	"	ldp x23, x24, [sp, #32]\n"
	"	ldp x25, x26, [sp, #48]\n"
	"	ldp x27, x28, [sp, #64]\n"
	"	ldp x29, x30, [sp, #80]\n"
	"	ldp d8, d9, [sp, #96]\n"
	"	ldp d10, d11, [sp, #112]\n"
	"	ldp d12, d13, [sp, #128]\n"
	"	ldp d14, d15, [sp, #144]\n"
	"	add sp, sp, #160\n"
	"	ret\n"
	"	.cfi_endproc\n"
	".size coroutine_switch, .-coroutine_switch\n"
	".globl coroutine_entry\n"
	".hidden coroutine_entry\n"
	".type coroutine_entry, %function\n"
	"coroutine_entry:\n"
	"	hint #36\n"
	"	mov x0, x19\n"
	"	mov x29, xzr\n"
	"	blr x20\n"
	"	brk #1\n"
	".size coroutine_entry, .-coroutine_entry\n");
#define FRAME_WORDS    20
#define FRAME_RETURN   11
#define FRAME_ARGUMENT 0 /* x19 */
#define FRAME_FUNCTION 1 /* x20 */
#else
#error "coroutine_switch is written for x86_64 and aarch64"
#endif

static void enter(struct coroutine *coroutine)
{
#ifdef WITH_ASAN
	__sanitizer_finish_switch_fiber(coroutine->fake_stack, &coroutine->resumer_bottom,
					&coroutine->resumer_size);
#else
	(void)coroutine;
#endif
}

static void first_function(struct coroutine *coroutine)
{
	enter(coroutine);
	coroutine->run(coroutine->context);
	coroutine->done = true;
	for (;;)
		coroutine_wait(coroutine);
}

struct coroutine_pool *coroutine_pool_new(size_t most)
{
	struct coroutine_pool *pool = calloc(1, sizeof(*pool));

	if (pool)
		pool->most = most;
	return pool;
}

void coroutine_pool_free(struct coroutine_pool *pool)
{
	if (!pool)
		return;
	while (pool->slabs) {
		struct slab *slab = pool->slabs;

		pool->slabs = slab->next;
		munmap(slab->mapping, SLAB_STACKS * MACHINE_STACK_SIZE);
		free(slab);
	}
	free(pool);
}

static int add_slab(struct coroutine_pool *pool)
{
	struct slab *slab;

	if (pool->stacks + SLAB_STACKS > pool->most)
		return -1;
	slab = calloc(1, sizeof(*slab));
	if (!slab)
		return -1;
	slab->mapping = mmap(NULL, SLAB_STACKS * MACHINE_STACK_SIZE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (slab->mapping == MAP_FAILED) {
		free(slab);
		return -1;
	}
	for (size_t i = 0; i < SLAB_STACKS; i++) {
		struct coroutine *coroutine = &slab->coroutines[i];
		uint8_t *lowest = (uint8_t *)slab->mapping + i * MACHINE_STACK_SIZE;

		/* Without a guard a stack is not used. */
		if (mprotect(lowest, GUARD_BYTES, PROT_NONE) < 0)
			continue;
		coroutine->stack = lowest + GUARD_BYTES;
		coroutine->pool = pool;
		coroutine->next_free = pool->free;
		pool->free = coroutine;
	}
	pool->stacks += SLAB_STACKS;
	slab->next = pool->slabs;
	pool->slabs = slab;
	return pool->free ? 0 : -1;
}

static uint8_t *top_of(const struct coroutine *coroutine)
{
	return coroutine->stack + MACHINE_STACK_SIZE - GUARD_BYTES;
}

struct coroutine *coroutine_new(struct coroutine_pool *pool, void (*run)(void *context),
				void *context)
{
	struct coroutine *coroutine;
	uintptr_t *frame;

	if (!pool->free && add_slab(pool) < 0)
		return NULL;
	coroutine = pool->free;
	pool->free = coroutine->next_free;
	coroutine->run = run;
	coroutine->context = context;
	coroutine->done = false;
#ifdef WITH_ASAN
	coroutine->fake_stack = NULL;
	__asan_unpoison_memory_region(coroutine->stack, MACHINE_STACK_SIZE - GUARD_BYTES);
#endif
	/* Two words above the frame, so that first_function finds the stack aligned as after a
	 * call. */
	frame = (uintptr_t *)(void *)(top_of(coroutine) - 16) - FRAME_WORDS;
	for (size_t i = 0; i < FRAME_WORDS + 2; i++)
		frame[i] = 0;
#if defined(__x86_64__)
	{
		uint32_t words[2] = {0x1f80,
				     0x037f}; /* MXCSR and x87 as at the start of a program */

		__builtin_memcpy(frame, words, sizeof(words));
	}
#endif
	frame[FRAME_RETURN] = (uintptr_t)coroutine_entry;
	frame[FRAME_ARGUMENT] = (uintptr_t)coroutine;
	frame[FRAME_FUNCTION] = (uintptr_t)first_function;
	coroutine->stack_pointer = frame;
	return coroutine;
}

bool coroutine_resume(struct coroutine *coroutine)
{
	if (coroutine->done)
		return false;
#ifdef WITH_ASAN
	__sanitizer_start_switch_fiber(&coroutine->resumer_fake_stack, coroutine->stack,
				       MACHINE_STACK_SIZE - GUARD_BYTES);
#endif
	coroutine_switch(&coroutine->resumer, coroutine->stack_pointer);
#ifdef WITH_ASAN
	__sanitizer_finish_switch_fiber(coroutine->resumer_fake_stack, NULL, NULL);
#endif
	return !coroutine->done;
}

void coroutine_wait(struct coroutine *coroutine)
{
#ifdef WITH_ASAN
	__sanitizer_start_switch_fiber(&coroutine->fake_stack, coroutine->resumer_bottom,
				       coroutine->resumer_size);
#endif
	coroutine_switch(&coroutine->stack_pointer, coroutine->resumer);
	enter(coroutine);
}

void coroutine_drop(struct coroutine *coroutine)
{
	if (!coroutine)
		return;
	coroutine->next_free = coroutine->pool->free;
	coroutine->pool->free = coroutine;
}

/* Of a coroutine that waits: what lies below its stack pointer, up to what a guard's neighbour is.
 */
void coroutine_trim(struct coroutine *coroutine)
{
	uintptr_t low = (uintptr_t)coroutine->stack;
	uintptr_t high = ((uintptr_t)coroutine->stack_pointer - 256) & ~(GUARD_BYTES - 1);

	if (high > low + TRIM_KEEPS)
		madvise((void *)low, high - low, MADV_DONTNEED);
}

size_t coroutine_stack_left(const struct coroutine *coroutine)
{
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);

	return here > (uintptr_t)coroutine->stack ? here - (uintptr_t)coroutine->stack : 0;
}
