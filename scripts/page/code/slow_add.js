// Step 1: an addition that sleeps first, as if a server took its time.

export async function slowAdd([a, b]) {
  await new Promise((wake) => setTimeout(wake, 100)); // sleeps for 100 ms
  return a + b;
}
