const trivial = (n: number) => n * 2 + 1;
console.log([1, 2, 3, 4, 5, 6, 7, 8].map(trivial).join(" "));
