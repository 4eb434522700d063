const task = (n: number) => n * 2 + 1;
const inputs = [1, 2, 3, 4, 5, 6, 7, 8];
const results = inputs.map((value) => task(value));
console.log(JSON.stringify(results.slice(-8)));
