// Step 3: the same, but each sum is made when somebody asks for it.

async function* lazyMap(fn, inputs) {
  for (const value of inputs) yield await fn(value);
}

export async function aLazyMap(slowAdd, pairs) {
  const sums = lazyMap(slowAdd, pairs); // nothing has been added yet
  return await Array.fromAsync(sums); // now each is asked for
}
