// Step 7: what is added.

export const AMOUNTS = [3, 2, 9, 1];
