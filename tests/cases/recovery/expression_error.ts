enum Colour { Red }
const colour = Colour.Red;
test.nothing({ colour });
