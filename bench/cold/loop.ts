const square = (n: number) => n * n;
console.log([1, 2, 3, 4, 5, 6, 7, 8].map(square).join(" "));
