enum Colour { Red = 3 }
return Colour.Red satisfies number; // a comment at the end