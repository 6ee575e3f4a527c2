//! calls_in_flight_max: 2
return (await Promise.all(Array.from({ length: 10 }, (_, value) => test.echo({ value })))).length;
