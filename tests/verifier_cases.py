r"""Answers and golds by category, written for this project. A line is `answer == gold` (must be accepted) or
`answer =/= gold` (must be rejected); both are LaTeX or plain text as they stand inside a box.
"""

CASES = r"""
[integers]
5C2 == 10
5C2 =/= 20
5P2 == 20
5P2 =/= 10
1_000 == 1000
1e9999 =/= 5
two three =/= 5
ten five =/= 15
one hundred twenty-one == 121
2016. == 2016
The number is 12 =/= 21
\approx 12 == 12
12\text{.} == 12
12 \text{ (twelve)} == 12
12(mod 5) =/= 12
$$15$$ == 15
\[15\] == 15
\left(15\right) == 15
15=15 == 15
3+4=7 == 7
8 \text{ or } 8 == 8
50 \text{ apples and } 20 =/= 50
12.0000 == 12
- 12 == -12
0012 == 12
12e0 == 12
13\frac{0}{5} =/= 14
\frac{39}{3} == 13
10^{2}+1 == 101
\mathbf{n=5} == 5
1.2e2 == 120
6.0 \times 10^1 == 60
3!! =/= 6
|{-7}| == 7
2^{-1} =/= 2
-2^2 == -4
(-2)^2 == 4
-2^2 =/= 4
16. == 16
\textbf{16} == 16
16\, == 16
{-3} == -3
-3 =/= 3
–3 == -3
3^2+4^2 == 25
2^{3^{2}} == 512
10! / 8! == 90
\frac{6!}{3!} == 120
{5 \choose 2} == 10
\lceil 2.1 \rceil == 3
5 \times 10 == 50
\text{ 7 } == 7
seven == 7
1e3 == 1000
k = 8 == 8
\boxed{12} == 12
\mathrm{12} == 12
5040 == 7!
100 =/= 10^3
-(3) == -3
0 == -0.0
(−4) == -4
12 \quad == 12
1729 =/= 1792
\# 5 =/= 6
\boxed{7} == 7
007 == 7
$-5$ == -5
1.0 == 1
10^2 == 100
\frac{10}{2} == 5
2+2 =/= 5
0.0 == 0
\text{The answer is } 5 == 5
5\quad == 5
5\\ == 5
\,5 == 5
5; == 5
-(-5) == 5
\lvert -3 \rvert == 3
\left| -3 \right| == 3
3^{4} == 81
\sqrt{49} == 7
12! =/= 12
1+1 == 2
123456789 == 123,456,789
11 =/= 1,1
\gcd(12, 18) == 6
7 \mod 4 =/= 7
42 == 42
042 == 42
+7 == 7
-7 == -7
−7 == -7
- 7 == -7
42. == 42
42.0 == 42
27 == 27.0
$42$ == 42
\(42\) == 42
 42  == 42
\text{42} == 42
\mathbf{42} == 42
**42** == 42
{42} == 42
(42) == 42
2^{10} == 1024
2^10 == 1024
5! == 120
-0 == 0
１２ == 12
100000000000000000001 =/= 100000000000000000000
42 =/= 43
7 =/= -7
420 =/= 42
4 =/= 42
1000000 =/= 1000001
3.0001 =/= 3
2.9999999 =/= 3
99999 =/= 100000
0 =/= 0.0000001
12 =/= 21
1e-10 =/= 0
2^{10} =/= 2^{11}
x =/= 5
5x =/= 5
\text{five} == 5
five == 5
5+3 == 8
2 \cdot 3 \cdot 7 == 42
\lfloor 3.7 \rfloor == 3
|-5| == 5
\binom{5}{2} == 10
\dbinom{6}{3} == 20
6 / 2 == 3
\frac{84}{2} == 42
\sqrt{1764} == 42
10^{12} == 1000000000000
10^{12} =/= 10^{13}
C(5,2) == 10
{}_5C_2 == 10
^5C_2 == 10
5 \choose 2 == 10
\max\{3,5\} == 5
\min\{3,5\} == 3
\text{Answer: } 7 == 7
\color{red}{7} == 7
{\color{blue} 7} == 7
\textcolor{red}{7} == 7
twenty == 20
twenty-one == 21
one hundred == 100
7th == 7
7^{th} == 7
1st == 1
\#7 == 7
(3!)! =/= 3!!
\large 42 == 42
\text{Total: } 42 == 42
\text{There are } 42 \text{ ways} == 42
2^3 3^2 == 72
{}^{8}C_{3} == 56
\mathrm{C}(8,3) == 56
forty-two == 42
one thousand == 1000
C(5,2) =/= 20
C_5^2 == 10
\binom{5}{2} == C_5^2
5!! == 15
5!! =/= 120
twenty-one =/= 12
2^6 3^5 =/= 2^5 3^6
\# 7 =/= 8
[decimals]
3,5 \text{ cm} == 3.5
€5,00 == 5
1.234,56 == 1234.56
3,500 =/= 3.5
(3,5) =/= 3.5
\$3,5 =/= \$35
0.50 == 1/2
.333 =/= \frac13
0.3334 =/= \frac{1}{3}
0.6666 == \frac{2}{3}
0.66666667 == \frac{2}{3}
3.1416 == \pi
3.142 =/= \pi
2.718 =/= e
0.05 =/= 0.5
1,5 =/= 15
0.1234 =/= 0.1243
12.34 == 12.340
99.99 =/= 100
1e-3 == .001
0.25 =/= 0.2500001
0.577350 == \frac{1}{\sqrt{3}}
7.07 =/= 5\sqrt2
7.0710678 == 5\sqrt{2}
0.125 == \frac18
0.875 == 7/8
1.25 == 1\frac{1}{4}
2.6666667 == \frac{8}{3}
5.48 =/= 5.5
50.7 =/= 50.72
0.0416667 == \frac{1}{24}
0.33 =/= 0.3333
.48 == 0.48
3.5\overline{} =/= 3.6
0.\overline{27} == \frac{3}{11}
0.5000 == 1/2
1.73205 == \sqrt{3}
6.28319 == 2\pi
6.28 =/= 2\pi
0.3678794 == \frac{1}{e}
-1.5 == -\frac32
1.999 =/= 2
23.0 == 23
.75 == 3/4
0.75 == \frac34
3.0 == 3
-.5 == -\frac{1}{2}
1.33333 == \frac{4}{3}
0.0833333 == 1/12
12.3 =/= 12.4
2.449 =/= \sqrt{6}
2.44949 == \sqrt{6}
0.1 + 0.2 == 0.3
1.10 == 1.1
100.5 == 100.50
0.9 =/= 1
1.000001 =/= 1
0.0100 == 0.01
9.99 =/= 10
0.67 =/= 0.66
24.310 == 24.31
+0.5 == 0.5
\approx 3.14159 == 3.14159
3.14159... == \pi
0.5 == .5
.5 == 0.50
0.50 == 0.5
-0.25 == -.25
3.140 == 3.14
1.5 == \frac{3}{2}
0.333333 == \frac{1}{3}
0.3333333333 == 1/3
0.6667 == \frac{2}{3}
0.66667 == 2/3
0.142857 == \frac{1}{7}
0.\overline{3} == \frac{1}{3}
0.\overline{142857} == \frac17
0.1\overline{6} == \frac16
0.\dot{3} == 1/3
0.(3) == 1/3
0.333... == \frac13
0.\bar{3} == \frac{1}{3}
1.4142 == \sqrt{2}
3.14159 == \pi
2.71828 == e
1.41421356 == \sqrt{2}
0.785398 == \frac{\pi}{4}
3.1415926 == \pi
0.33 =/= \frac{1}{3}
0.3 =/= \frac{1}{3}
0.67 =/= \frac{2}{3}
3.14 =/= \pi
1.41 =/= \sqrt{2}
3.14 =/= 3.15
0.5 =/= 0.05
0.1 =/= 0.10001
0.12345 =/= 0.12346
2.5 =/= 25
1.5 =/= 15
0.0001 =/= 0.0002
1e-9 =/= 2e-9
0.000000001 =/= 0.000000002
-0.5 =/= 0.5
0.25 =/= .26
12.5 =/= 12.05
4.5 == 4.50
0.999 =/= 1
0,5 == 0.5
1,5 == 1.5
3,14 == 3.14
0.\dot{1}\dot{2} == 4/33
0.\dot{1}4285\dot{7} == 1/7
1,25 =/= 125
1,25 == 1.25
1,234 =/= 1.234
0.\dot{1}\dot{2} =/= 0.\dot{1}
[fractions]
\frac{1}{2}. == 1/2
\frac{1}{2}, == \frac12
\frac{ 1}{ 2} == \frac{1}{2}
\frac1 2 == \frac{1}{2}
\frac{x^2}{2} == \frac12x^2
\frac{1}{2}x^2 =/= \frac{1}{2x^2}
1/2x == x/2
\frac{3}{4} \text{ or } 0.75 == \frac34
\frac{22}{7} =/= 3.14
\frac{1}{3} + \frac{1}{4} == \frac{7}{12}
-\left(\frac{2}{5}\right) == -0.4
\frac{2}{-5} == -\frac25
\frac{0}{5} == 0
\frac{12}{18} == 2/3
\frac{\left(1+2\right)}{4} == \frac34
\frac{\pi}{2} =/= \frac{2}{\pi}
\frac{n}{n+1} == 1-\frac{1}{n+1}
\frac{n}{n+1} =/= \frac{n+1}{n}
1-\frac{1}{2^{n}} == \frac{2^n-1}{2^n}
-\frac34 == \frac{-3}{4}
\frac{1}{3}x == \frac{x}{3}
\frac{3}{8} == .375
3 / 8 == \frac{3}{8}
{3}/{8} == \frac38
\frac{{3}}{8} == 3/8
\frac{3 \pi}{4} == \frac34 \pi
\frac{-2}{3} =/= \frac{2}{3}
\frac{505}{8076} =/= \frac{505}{8077}
\frac{5\pi}{12} == 5\pi/12
\frac{2}{\sqrt{3}} == \frac{2\sqrt{3}}{3}
\dfrac{9}{7} == 9/7
\frac{\pi}{6} == \pi/6
1 \frac{3}{4} == 1.75
\frac{7}{4} == 1\frac34
15/20 == 0.75
\frac{a+b}{c} == (a+b)/c
\frac{100}{101} =/= 100/102
5/6 =/= 5/7
\frac{a}{b} == a/b
\frac{x+1}{2} == (x+1)/2
\frac{x+1}{2} =/= x+1/2
-\dfrac{5}{3} == -5/3
\dfrac{-5}{3} == -\frac{5}{3}
\frac{5}{-3} == -\frac53
\frac{3}{2}\pi == \frac{3\pi}{2}
3\pi/2 == \frac{3\pi}{2}
1/3 =/= 1/4
(3)/(4) == 3/4
\frac{\sqrt{2}}{2} == \frac{1}{\sqrt2}
\frac{{1}}{{2}} == 1/2
\frac{1}{2} + \frac{1}{3} == 5/6
\frac {1} {2} == \frac{1}{2}
\frac{1}{\frac{1}{2}} == 2
\frac{2x}{4} == \frac{x}{2}
\frac{110}{3} == 36\frac{2}{3}
\frac{7}{2} =/= \frac{2}{7}
1/2/2 == 1/4
\frac{11}{36}. == 11/36
\left(\frac{2}{3}\right)^2 == \frac49
\frac{4}{9}^{} =/= 2
\frac{1}{2} == 1/2
\dfrac{1}{2} == \frac{1}{2}
\tfrac{1}{2} == \frac{1}{2}
\cfrac{3}{4} == \frac{3}{4}
\frac12 == \frac{1}{2}
\frac1{2} == \frac{1}{2}
\frac{1}2 == \frac{1}{2}
\frac 59 == \frac{5}{9}
\frac 12 == 0.5
\frac{270}7 == \frac{270}{7}
½ == \frac{1}{2}
3/4 == ¾
-\frac{1}{2} == \frac{-1}{2}
\frac{1}{-2} == -\frac{1}{2}
-1/2 == -\frac12
\frac{2}{4} == \frac{1}{2}
6/8 == 3/4
\frac{-3}{-4} == \frac34
{1 \over 2} == \frac12
1 \over 2 == \frac12
\frac{3}{1} == 3
1⁄2 == 1/2
1 / 2 == \frac{1}{2}
(1/2) == \frac{1}{2}
\left(\frac{1}{2}\right) == \frac{1}{2}
\frac{\frac{1}{2}}{3} == \frac{1}{6}
\frac{1}{3}+\frac{1}{6} == \frac{1}{2}
\frac{10}{3} == 3.33333
7\div 2 == \frac{7}{2}
\frac{1,000}{3} == \frac{1000}{3}
\frac{ 3 }{ 4 } == \frac{3}{4}
\displaystyle\frac{3}{4} == \frac34
\frac{1}{2} =/= \frac{1}{3}
\frac{1}{2} =/= \frac{2}{1}
1/2 =/= 2
\frac{1}{2} =/= -\frac{1}{2}
\frac{12}{5} =/= \frac{1}{25}
3/4 =/= 4/3
\frac{1}{2} =/= 12
\frac{17}{3} =/= 17
\frac{99}{100} =/= \frac{100}{101}
\frac{1}{0} =/= 1
\frac{355}{113} =/= \pi
three fourths == 3/4
one half == 1/2
two-thirds == \frac{2}{3}
three fourths =/= \frac{4}{3}
\frac{\sqrt{3}}{3} \approx 0.577 == \frac{1}{\sqrt{3}}
\frac{\sqrt{3}}{3} \approx 0.577 =/= 0.578
\\frac{1}{2} == 0.5
\\frac{1}{2} =/= 2
[mixed numbers]
3\frac{1}{2} == \frac{7}{2}
3 \frac{1}{2} == 3.5
3\tfrac12 == 3.5
3 1/2 == 7/2
3 1/2 == 3\frac{1}{2}
3½ == 3.5
-3\frac{1}{2} == -3.5
-2\frac{3}{4} == -\frac{11}{4}
10\frac{1}{12} == \frac{121}{12}
1 2/3 == \frac{5}{3}
11\frac{2}{7} == \frac{79}{7}
3\frac{1}{2} =/= \frac{3}{2}
2\frac{1}{2} =/= 1
3 1/2 =/= \frac{31}{2}
31/2 =/= 3\frac{1}{2}
3\frac{1}{2} =/= 3
1\frac{1}{3} =/= \frac{1}{3}
3 \cdot \frac{1}{2} == \frac{3}{2}
3\cdot\frac{1}{2} =/= \frac{7}{2}
4\frac{1}{5} =/= 4.15
-3\frac{1}{2} =/= -2.5
2 and 1/3 == 7/3
2 \text{ and } \frac{1}{3} == 2\frac{1}{3}
2 and 1/3 =/= \frac{1}{3}
2 and 1/3 == \{2, \frac13\}
[percent]
2500\% == 25
2500 \% == 25.0
2500\% =/= 2.5
0.5\% =/= 0.5
0.5 == 0.5\%
(0,9)\% =/= (0,9)
\frac{25}{6}\% =/= \frac{25}{6}
5\% per year == 5\%
5\% per year =/= 5\% per month
5\% increase =/= 5\% decrease
5 ‰ == 0.005
144^\circ =/= 144\%
15\% == 15 \%
15\% == 15
15\% == 3/20
66.67\% == 66.67
66.67 \% =/= 66
0.15 =/= 15
-5\% == -0.05
5% increase == 5\%
40\% == 40
40\% == \frac{2}{5}
40\% == 0.4
0.4 == 40 \%
7.5% == 7.5\%
7.5% =/= 75%
16\frac{2}{3}\% == 16\frac23
\text{40\%} == 40\%
40 \text{ percent} == 40\%
40 percent == 0.40
0.4\% =/= 40\%
25\% == \frac14
25\% == 25
25 % == 25\%
0.25 == 25\%
25 =/= 0.25
75\% of students =/= 25\%
1\% == 0.01
0.5\% == 0.005
12\frac12\% == 12.5\%
200\% == 2
98.6\% =/= 98.7\%
-10\% == -10\%
10\% =/= 100
\frac{1}{4} =/= 25
50\% == 50\%
50% == 50\%
50 \% == 50\%
50\% == 0.5
0.5 == 50\%
50\% == \frac{1}{2}
\frac{1}{2} == 50\%
50 == 50\%
50\% == 50
50 percent == 50\%
50\text{ percent} == 50\%
12.5\% == 12.5
12.5\% == 0.125
33\frac{1}{3}\% == \frac{1}{3}
100\% == 1
3.5\% == 0.035
5 =/= 0.05
0.05 =/= 5
50 =/= 0.5
0.5 =/= 50
50\% =/= 5
50\% =/= 0.05
50\% =/= 0.5\%
150\% =/= 50\%
5000 =/= 50\%
20\% =/= 25\%
25 \% =/= 2500
0.25 =/= 25
66.67\% == 66\frac{2}{3}\%
66.67\% == 66\frac{2}{3}\%
66\% =/= 66\frac{2}{3}\%
[units]
10\,\mu\text{m} =/= 10\ \text{m}
5\ \mu\text{m} == 5\times 10^{-6}\text{ m}
5\,\Omega == 5\text{ ohms}
5 V =/= 5 W
5 cm2 == 5 cm^2
5 cm2 =/= 5 cm^3
9.8 m s^{-2} == 9.8 m/s^2
3 hours 20 minutes == 200 minutes
5 dollars and 50 cents == \$5.50
3 in 5 == 3/5
5 \text{ out of } 8 =/= 5
12 (cm) == 12
12\,(\text{cm}) == 12 \text{ cm}
12 (cm) =/= 13
12(ab) =/= 12
5\,\mathrm{cm} == 5 cm
5\text{cm} == 5\text{ cm}
5.0\text{ cm} == 5 cm
5cm == 5 cm
10m/s == 10 \text{ m/s}
12 \text{ in}^2 == 12 \text{ square inches}
13 \text{ inches} =/= 13 \text{ feet}
\text{approximately } 5 \text{ cm} == 5
30^\text{o} == 30
30^{\text{th}} == 30
24 \text{ cubic units} == 24
48\text{ mph} =/= 48 \text{ mi}
\frac{1}{2} \text{ hour} == 30 minutes
\frac{3}{2}\text{ cm} == 1.5 cm
25 sq. units == 25
2\sqrt{3}\text{ units} == 2\sqrt{3}
5 \mathrm{~kPa} =/= 5 \mathrm{~Pa}
10^{3} \text{ m} == 1 km
2.4 \times 10^{5} \text{ J} == 2.4e5
180^{\circ}-2x =/= 180
8 \text{ people} == 8
6 \text{ ways} == 6 ways
500 \text{ mL} == 0.5 \text{ L}
23\text{ cents} == 23
8 cm^3 == 8\text{ cm}^3
36 \text{ sq cm} == 36
4.5 \text{ feet} == 4.5
3600\text{ s} == 3600
3600 seconds == 1 hour
5'  =/= 6
25\,\mathrm{m/s} == 25
25\,\mathrm{m\,s^{-1}} == 25 \mathrm{m/s}
0.5 \text{ kg} == 500\text{ g}
3 \text{ boys} == 3
18\pi \text{ cm}^3 == 18\pi
120^\circ == 120 degrees
\frac{\pi}{4} \text{ radians} == \frac{\pi}{4}
45 \degree == 45
10\text{ cm} == 10 \text{ centimeters}
x = 4 \text{ cm} == 4
5 \text{ N} == 5
11 \text{ minutes} == 11
50 km =/= 60 km
4 \text{ cm}^2 =/= 5 \text{ cm}^2
2.54 cm == 1 inch
1.5 eV == 1.5 \mathrm{eV}
300 K == 300
927.5 kJ/mol == 927.5
3 pounds == 3 lb
100 g =/= 100 kg
3\text{ hours} == 3 hours
3 \mathrm{\ cm} == 3
3\mathrm{~kg} == 3 \text{ kg}
3 \, \text{m}^3 == 3
16\text{ cm}^2 == 16
16\text{ cm}^2 == 16\ \text{cm}^{2}
2.5 \text{ million} == 2.5 \text{ million}
90^{\circ} == 90
90^\circ == 90^{\circ}
\angle A = 90^\circ == 90
1.6 \mathrm{~cm} == 1.6
7 \text{ units}^2 == 7
6 ft 2 in =/= 6 ft 3 in
5 \text{ cm} =/= 5 \text{ km}
3 \text{ m/s} == 3 \text{ meters per second}
20 \text{ mph} == 20\text{ miles per hour}
5\sqrt{3}\text{ m} == 5\sqrt{3}
4\pi \text{ cm}^2 == 4\pi
120 degrees == 120
45°C == 45
2 \text{ in} == 2 \text{ inches}
100 years == 100
12 people == 12
3 dozen =/= 3
8 \text{ sq ft} == 8
45 \text{ minutes} == 0.75 hours
60 seconds == 1 minute
2 km == 2000 m
14 \mathrm{~ft} =/= 15 \mathrm{~ft}
5 cm == 5\text{ cm}
5\text{ cm} == 5
5 == 5\text{ cm}
5\,\text{cm} == 5 \mathrm{~cm}
5\mathrm{cm} == 5
10 \text{ miles} == 10
180\text{ miles} == 180
\frac{270}{7} == \frac{270}7\text{ degrees}
9 == 9\text{ values}
9\text{ values} == 9
27 \mathrm{~min} == 27
30^\circ == 30
30 == 30^{\circ}
30° == 30^\circ
30 degrees == 30^\circ
30\text{ degrees} == 30^\circ
30^\circ == 30 \text{ degrees}
20 cm^2 == 20
20 \text{ cm}^2 == 20 cm^{2}
20 \text{ square centimeters} == 20 \text{ cm}^2
12 square inches == 12
60 \text{ km/h} == 60
60 km/h == 60 \text{ kilometers per hour}
104.32 \mathrm{mi} / \mathrm{hr} == 104.32
5 meters == 5 m
5\text{ m} == 5 \text{ meters}
2 hours == 2
2 hours == 120 minutes
500 cm == 5 m
1 kg == 1000 g
3 feet == 36 inches
10\text{ inches} == 10 in
25 apples == 25
25 \text{ apples} == 25\text{ apples}
45\sqrt{2} \text{ cm} == 45\sqrt{2}
2\pi \text{ units} == 2\pi
12 \text{ sq. units} == 12
12\text{ square units} == 12
15 \text{ years old} == 15
1950^\circ C == 1950
7.5 \text{ hours} == 7.5
14 \text{ days} == 14
6 ft^3 == 6
4 cubic feet == 4
9.8 \text{ m/s}^2 == 9.8
100 mL == 100 \text{ ml}
72 mph == 72
5 cm =/= 6 cm
5 cm =/= 5 m
5 cm^2 =/= 5 cm
5 kg =/= 5 g
10 hours =/= 10 minutes
30^\circ =/= 60^\circ
2 hours =/= 100 minutes
500 cm =/= 6
10 miles =/= 10 km
5m =/= 5
5x =/= 5 \text{ cm}
60^\circ == \frac{\pi}{3}
10 \text{ m/s} == 10 \frac{\text{m}}{\text{s}}
5 years old == 5
3 \text{ feet } 6 \text{ inches} == 42 \text{ inches}
1 \text{ hour } 30 \text{ minutes} == 90 \text{ minutes}
30^\circ =/= 30 \text{ radians}
6 \text{ ft} 2 \text{ in} == 74 \text{ in}
2 \text{ hours and } 30 \text{ minutes} == 150 \text{ minutes}
2\text{ hours } 30\text{ minutes} == 2.5 \text{ hours}
10 \frac{m}{s} =/= 10 \text{ m}
10 \frac{m}{s^2} =/= 10 \text{ m/s}
10 \frac{\text{m}}{\text{s}^2} == 10 \text{ m/s}^2
3\frac{x}{y} =/= 3
5 \text{ ft } 3 \text{ in} =/= 53 \text{ in}
2 \text{ hours } 30 \text{ minutes} =/= 2.3 \text{ hours}
\pi \text{ radians} == 180^\circ
2\pi \text{ radians} =/= 180^\circ
[currency]
\$36 == 36\text{ dollars}
36\$ == 36
\$36.00 == 36
\$ 36 =/= \$ 63
36 \text{ USD} == \$36
\$1{,}234.50 == 1234.5
\$1.2 == 1.20
€ 30 == 30
\$ 12.5 == \$12.50
\$0.5 == 50 cents
\$3.99 == 3.99
3.99 \text{ dollars} == \$3.99
\$4,000 == 4000
\$4000 == \$4,000
-\$20 == -20
\$20 =/= -\$20
\$4,000 =/= \$400
\$12.50 == 12.5
\$ 1,250 == 1250
12.50 dollars == \$12.50
\$0.75 == 75 cents
1.5 million dollars == 1.5 million
\$12 million =/= \$12
$10 == \$10
10 USD == 10
\textdollar 5 == 5
Rs. 500 == 500
\$x =/= 5
\$5 == 5
5 == \$5
\$32,348 == 32348
\$32,\!348 == \$32348
\$ 5 == 5
$5 == 5
\$5.00 == 5
\$5.50 == 5.5
5 dollars == \$5
5 \text{ dollars} == 5
18.90 == \$18.90
\$18.9 == 18.90
\$1,000.00 == 1000
50 cents == 50
50 cents == \$0.50
\text{\$}5 == 5
€5 == 5
£20 == 20
-\$5 == -5
USD 20 == 20
\$5 =/= \$6
\$5 =/= 50
\$18.90 =/= 18.09
\$1,000 =/= 1
\$1.50 =/= 150
500 rupees == Rs 500
\mathdollar 5 == 5
[thousands separators]
1,000 == 1{,}000
1,000 == 10^3
1.000 =/= 1000
1,00,000 =/= 1000
2{,}024 == 2024
4,096 == 2^{12}
(1,000) == 1000
1,234,56 =/= 123456
3,000,000 == 3 \times 10^6
3{,}000{,}000 == 3000000
3\ 000\ 000 == 3000000
10,000 == 10000.0
12,000 =/= 12,00
2,500 == 2500.00
987,654,321 == 987654321
1,600 =/= 16,00
12{,}345 == 12345
12\!,\!345 == 12345
100,000 == 100000
100 000 == 100000
1,000.5 == 1000.5
1,000 =/= 1000000
5,000 == 5000
1,2345 =/= 12345
\text{10,080} == 10080
10{,}080 == 10,080
3,4 =/= 34
1,234 == 1234
1234 == 1,234
1,234,567 == 1234567
1{,}234 == 1234
1\,234 == 1234
1\,234\,567 == 1234567
1 234 567 == 1234567
11,\! 111,\! 111,\! 100 == 11111111100
12,345.67 == 12345.67
-1,234 == -1234
10,000 == 10^4
1,000,000 == 10^{6}
\text{1,234} == 1234
1,234 == 1,\!234
1,234 =/= 1
1,234 =/= 234
1,234 =/= 1235
1,234 =/= 12.34
12,34 =/= 1234
1,23 =/= 123
1,234 =/= 1.234
10,000 =/= 1000
1'000 == 1000
1.000.000 == 1000000
14{, }916 == 14916
[scientific notation]
1.0 \times 10^{-4} == 0.0001
10^{-4} == 1e-4
10^{4} =/= 10^{-4}
5.0e+2 == 500
2.998 \times 10^8 =/= 3.998 \times 10^8
1.38 \times 10^{-23} == 1.38e-23
1.38 \times 10^{-23} =/= 1.38 \times 10^{-22}
4.5 \times 10^{0} == 4.5
4 \times 10^{-3} == 0.004
4\times10^{-3} == 4e-3
4E-3 == .004
8.49 \times 10^{-4} == 8.49e-4
7 \times 10^{37} == 7e37
3.3e-10 =/= 3.3e-11
\frac{1}{10^{3}} == 10^{-3}
1.4903e4 == 14903
2.4 \times 10^{5} == 240000
2.4 \times 10^{5} =/= 2.4
1.04e-3 == 1.04 \cdot 10^{-3}
2e-5 == 0.00002
2 \times 10^{-5} == 2e-5
2 \times 10^{-5} =/= 2 \times 10^{5}
3.0 \times 10^{8} == 3e8
6.67 \times 10^{-11} == 6.67e-11
1 \times 10^{6} == 1000000
10^{-19} =/= 10^{-18}
7.353e14 == 7.353 \times 10^{14}
5 x 10^3 == 5000
-2.5e-3 == -0.0025
1.23E+4 == 12300
9.27 \cdot 10^{5} == 927000
1.5e3 == 1500
1.5E3 == 1500
1.5 \times 10^3 == 1500
1.5 \times 10^{3} == 1.5e3
1.5 \cdot 10^{3} == 1500
1.5*10^3 == 1500
1.5 × 10^3 == 1500
1.5×10³ == 1500
3e8 == 3 \times 10^8
3.0e8 == 3 \times 10^{8}
2.19e6 == 2.19 \times 10^{6}
1.24e-8 == 1.24 \times 10^{-8}
4.5e33 == 4.5 \times 10^{33}
6.02 \times 10^{23} == 6.02e23
1e-3 == 0.001
10^{-3} == 0.001
-1.6e-19 == -1.6\times10^{-19}
1.60 \times 10^{-19} == 1.6e-19
5.89 \times 10^{-7} == 0.000000589
15e2 == 1.5e3
1.5e3 =/= 1.5e4
1.5e3 =/= 1.5
1.5 \times 10^3 =/= 1.5 \times 10^{-3}
1.2e-8 =/= 1.24e-8
1e-19 =/= 2e-19
6.02e23 =/= 6.03e23
3e8 =/= 38
2e5 =/= 10e
4.5\mathrm{e}33 == 4.5\times10^{33}
[sets]
\{n \mid n \in \mathbb{Z}\} =/= \mathbb{R}
1,\ 2,\ 3 == 1,2,3
1, 2, 3. == 3,2,1
\{1\} \cup \{2\} == \{1,2\}
x_1 = 1, x_2 = 2 == 1,2
x_1=1, x_2=2 =/= 1,3
\text{2 and 3} == 2,3
\text{x = 2 or x = 3} == 2,3
[2, 3] =/= \{2, 3\}
(2),(3) == 2,3
2,3,3 =/= 2,3
\varnothing == \{\}
\phi =/= 5
\{0,1,2,\dots\} =/= \{0,1,2\}
-1 \text{ and } 1 == \pm 1
\pm\sqrt{2} == \sqrt{2},-\sqrt{2}
\pm\sqrt{2} =/= \sqrt{2}
\pm 1, \pm 2 == -2,-1,1,2
1 \pm 2i == 1+2i, 1-2i
1 \pm 2i =/= 1+2i
a=1,b=2 =/= 2,1
\{-2,2\} == \pm2
-2,2 == 2 and -2
\{3\} == 3
\{a, b, c\} == \{c, a, b\}
\left\{-\frac{1}{2},\frac12\right\} == \pm\frac{1}{2}
1, 3, 9, 11 == 1,3,9,11
x = 0, 1 == \{0,1\}
m=1 \text{ or } m=-1 == \pm 1
0, \frac{\pi}{2}, \pi == \pi, 0, \pi/2
\{1, 2\}, \{3\} == \{3\},\{1,2\}
1 =/= \{1,2\}
\{1,2,3\} =/= \{1,2,4\}
3,4,5 =/= 3,4
(-3,0),(3,0) == (3,0),(-3,0)
(-3,0),(3,0) =/= (0,-3),(0,3)
45^\circ, 135^\circ == 135^\circ,45^\circ
30^\circ \text{ and } 150^\circ == 30,150
E_{1},E_{2} == E_{2}, E_{1}
2^{-2 / 3}, 8 == 8, 2^{-2/3}
\{ 2, 4, 6 \} == \{6,4,2\}
{1,2,3} == \{1,2,3\}
\{x, y\} == \{y, x\}
\left\{1, 2\right\} == 1, 2
x \in \{1, 2\} == \{1,2\}
\{1\} == \{1\}
\{\} == \emptyset
\{1,2\} \cup \{3\} == \{1,2,3\}
\{0\} \cup [1,2] == [1,2]\cup\{0\}
1, -1, i, -i == i,-i,1,-1
2, 2 == 2,2
\{\frac{1}{2},\frac{1}{3}\} == \{0.5, \frac13\}
1\text{ or }3 == 1,3
x = 2 \text{ or } 3 == 2, 3
x=-2, x=2 == \pm 2
\{2, 3, 5, 7\} =/= \{2, 3, 5\}
2,3 =/= 23
1;2;3 == 1,2,3
$1$, $2$ == 1,2
1, 2 and 4 == 4,2,1
-5 < x < 5 =/= \{-5,5\}
\text{{1,2}} == \{1,2\}
\{1,2,\ldots,10\} == \{1,2,\ldots,10\}
\{1,2,3\} == \{1,2,3\}
\{3,1,2\} == \{1,2,3\}
\{1, 2, 3\} == 1,2,3
1,2,3 == \{1,2,3\}
3, 2, 1 == 1,2,3
1 and 2 == 1,2
1 \text{ and } 2 == 2,1
1 or 2 == 1,2
1, 2, and 3 == 1,2,3
\{1,1,2\} == \{1,2\}
\left\{ \frac{1}{2}, 3 \right\} == \{3, 0.5\}
\{-1, \sqrt{2}\} == \{\sqrt2, -1\}
\emptyset == \varnothing
\emptyset == \{\}
∅ == \emptyset
\{ \} == \varnothing
\lbrace 1, 2 \rbrace == \{1,2\}
\{5\} == 5
\{a,b\} == \{b,a\}
\{(1,2),(3,4)\} == (3,4),(1,2)
(1,2),(3,4) == (3,4),(1,2)
(1,2) and (3,4) == (1,2),(3,4)
2 or -2 == $2$ or $-2$
-1,0,1 == 1,0,-1
27,54,108,135 == 135,108,54,27
\frac{1}{3},-2,5 == 5,-2,\frac13
\pm 2 == 2,-2
\pm 2 == \{-2, 2\}
1 \pm \sqrt{19} == 1+\sqrt{19}, 1-\sqrt{19}
1-\sqrt{19},1+\sqrt{19} == 1 \pm \sqrt{19}
x=1,2 == 1,2
x=1 \text{ or } x=2 == 1,2
x = 1, x = 2 == \{1, 2\}
x = \pm 3 == 3,-3
x=-1,3 == x=3 \text{ or } x=-1
2;3 == 2,3
\{1,2\} =/= \{1,3\}
\{1,2\} =/= \{1,2,3\}
\{1,2,3\} =/= \{1,2\}
1,2 =/= 1,3
1,2,3 =/= 1,2
1 =/= 1,2
1,2 =/= 1
1,2 =/= 12
(1,2),(3,4) =/= (2,1),(3,4)
\{(1,2)\} =/= \{(2,1)\}
\{1,2\} =/= (1,2)
(1,2) =/= \{1,2\}
\emptyset =/= \{0\}
\emptyset =/= 0
\pm 2 =/= 2
2 =/= \pm 2
x=1 =/= 1,2
1,2 =/= [1,2]
\{1,2\} =/= [1,2]
\{-1,1\} =/= \{1\}
\phi == \emptyset
\mathbf{R} == \mathbb{R}
\mathbb R \setminus \{2\} == x\neq 2
\{2,4,6,\ldots\} == \{2, 4, 6, \dots\}
\mathbb{Z} == \text{all integers}
x_1 = 1, x_2 = 2 == \{1, 2\}
\{A, C\} == A, C
\{\emptyset\} =/= \emptyset
+/- 3 == \pm 3
x \in \mathbb{R}, x \neq -2 == x \neq -2
\mathbb{R} - \{1\} == \mathbb{R}\setminus\{1\}
\{1,2\} \cup \{3\} =/= \{1,2\}
x_1 = 1, x_2 = 2 == x_1 = 2, x_2 = 1
x_1 = 1, x_2 = 2 =/= \{1, 3\}
\mathbb{Z} =/= \text{all real numbers}
(0,1) \cap \{0.5\} == \{0.5\}
[intervals]
[5) =/= 5
[2,251,252) =/= (2,251,252)
[5] == 5
[1,\infty) == x \geq 1
(1,4) \cup [5,6] == [5,6]\cup(1,4)
(1,4) \cup [5,6] =/= (1,4]\cup[5,6]
-3\le x\le 3 =/= (-3,3)
x \in (0,1) == 0<x<1
0 < x < 1 =/= 0 < x \leq 1
(0, 1) =/= (0, 10)
(-\infty, 0) \cup (0, \infty) == \mathbb{R}\setminus\{0\}
x\ne 0,1 =/= x \ne 0
\left[\frac12, \frac32\right] == [.5,1.5]
x<-3\text{ or }x>3 == (-\infty,-3)\cup(3,\infty)
[0, 2\pi) == [0,2 \pi)
(a, \infty) == (a,+\infty)
(a, b) =/= (b, a)
[5] == 5
(0,1] == (0, 1]
(-4,4) == -4<x<4
-4<x<4 == (-4,4)
x > 0 == (0, \infty)
x\in(-\infty,-3]\cup[3,\infty) == x \le -3 \text{ or } x \ge 3
\left[-\frac{\pi}{2}, \frac{\pi}{2}\right] == [-\pi/2,\pi/2]
(1, \infty) =/= (1, 2)
(0,\infty) =/= [0,\infty)
[0,\infty) == x\geq 0
\{x : x \neq 1\} == (-\infty,1)\cup(1,\infty)
\{x \in \mathbb{R} : x > 1\} == (1,\infty)
[3, 7] == 3 \leq t \leq 7
(-1,0) \cup (0,1) == (-1, 1) \setminus \{0\}
x \notin \{1\} =/= \{1\}
(2,3) \cup (5,6) =/= (2,6)
(-\infty,\infty) == all reals
[-2,7] == x\in[-2,7]
(0, \frac{1}{2}) == (0, 0.5)
(-\infty, -1) \cup (1, \infty) == (1,\infty)\cup(-\infty,-1)
[0, 1) \cup (1, 2] == [0,1)\cup(1,2]
x \in (-\infty, 2] == x \le 2
x \le 2 == (-\infty, 2]
(-inf, inf) == (-\infty,\infty)
(0, oo) == (0,\infty)
[0, \pi] == [0,\pi]
(−∞, 3) == (-\infty, 3)
\left(-\infty,-\frac{1}{2}\right) == (-\infty,-0.5)
[1, 2] \cup [2, 3] =/= [1,2)\cup(2,3]
x<1 or x>2 == (-\infty,1)\cup(2,\infty)
x \in \mathbb{R} == \mathbb{R}
\mathbb{R} \setminus \{1,2\} == (-\infty,1)\cup(1,2)\cup(2,\infty)
(-\infty,1)\cup(1,\infty) == x \ne 1
-1 \leq x < 4 == [-1,4)
0<x<\infty == (0,\infty)
[2,5] =/= [2,6]
[-1,1] =/= (-1,1]
(3,5) =/= [3,5]
[a,b] == [a, b]
[a,b) =/= [a,b]
y \in [0,1] == [0,1]
f(x) \ge 2 =/= (2,\infty)
(0,1) \cap (0.5, 2) == (0.5,1)
(1,2) == (1,2)
( 1 , 2 ) == (1,2)
[1,2] == [1, 2]
\left[1,2\right) == [1,2)
(2,\infty) == (2, \infty)
(2,+\infty) == (2,\infty)
(-\infty, 3] == \left(-\infty,3\right]
(2,12) \cup (12,102) == (2,12)\cup(12,102)
(12,102) \cup (2,12) == (2,12)\cup(12,102)
(-\infty,0)\cup(0,\infty) == (-\infty, 0) \cup (0, +\infty)
[\frac{1}{2}, 8] == [0.5, 8]
x \in [1,2] == [1,2]
[1,2] == x \in [1,2]
1 \le x \le 2 == [1,2]
1 \leq x \leq 2 == x \in [1,2]
x > 2 == (2,\infty)
(2,\infty) == x>2
2 < x == (2,\infty)
x<2 \text{ or } x>3 == (-\infty,2)\cup(3,\infty)
(-\infty,\infty) == \mathbb{R}
\mathbb{R} == (-\infty, \infty)
all real numbers == \mathbb{R}
\mathbb{R} \setminus \{0\} == (-\infty,0)\cup(0,\infty)
x \neq 0 == (-\infty,0)\cup(0,\infty)
\{x | x > 2\} == (2, \infty)
\{x \mid 1 < x < 2\} == (1,2)
]1,2[ == (1,2)
[1,2[ == [1,2)
[1,3] == [1,2]\cup[2,3]
[-\sqrt{2}, \sqrt{2}] == [-\sqrt2,\sqrt2]
(0,9) \cup (9,36) == (0,9)∪(9,36)
(1,2] =/= [1,2)
[1,2] =/= (1,2)
(1,2) =/= [1,2]
(1,2] =/= (1,2)
[1,2) =/= [1,2]
(1,2) =/= (1,3)
(2,\infty) =/= [2,\infty)
(2,\infty) =/= (-\infty,2)
(1,2)\cup(3,4) =/= (1,2)
(1,2)\cup(3,4) =/= (1,2)\cup(3,5)
(1,2)\cup(3,4) =/= (1,2)\cap(3,4)
(2,\infty) =/= 2
x > 2 =/= [2,\infty)
x < 2 =/= (2,\infty)
1 < x < 2 =/= [1,2]
\mathbb{R} =/= (0,\infty)
|x|<2 == -2<x<2
|x|<2 == (-2,2)
|x|>2 == x<-2 \text{ or } x>2
|x-1|\le 3 == [-2,4]
x^2<4 == -2<x<2
0<f(x)<1 == (0,1)
|x| \ge 1 == (-\infty,-1]\cup[1,\infty)
x^2 - 1 \ge 0 == (-\infty,-1]\cup[1,\infty)
x^2-5x+6<0 == (2,3)
-2\le x\le 2 == |x|\le 2
|x-1| < 2 == (-1,3)
|x-1| < 2 =/= (-1,3]
|x-1| < 2 =/= (-3,1)
x^2 - 4x + 3 \le 0 == [1,3]
x^2 - 4x + 3 \le 0 =/= (1,3)
x^2-4x+3 > 0 == (-\infty,1) \cup (3,\infty)
x^2-4x+3 > 0 =/= (1,3)
\frac{1}{x} > 0 == (0,\infty)
\frac{1}{x} > 0 =/= [0,\infty)
\sqrt{x} < 2 == [0,4)
\sqrt{x} < 2 =/= (-\infty,4)
|y| < 2 =/= -2 < x < 2
2x + 1 > 5 == x > 2
0 < f(x) < 1 =/= [0,1]
[tuples]
(2, -3) == \left(2,-3\right)
(2,-3). == (2,-3)
\text{(2, -3)} == (2,-3)
(2,3) \text{ and } (4,5) == (2,3),(4,5)
(2,3) =/= (2,3,0)
x=2, y=3, z=4 == (2,3,4)
(x,y,z) = (2,3,4) == (2,3,4)
(A,B)=(1,2) == (1,2)
\vec{v} = (1,2) == (1,2)
\mathbf{i}+2\mathbf{j} =/= (2,1)
(1, \sqrt{3}) == (1, 3^{1/2})
(1.0,2.0) == (1,2)
(1/2,1/3) == \left(\frac12,\frac13\right)
( 0 , -1 ) =/= ( -1 , 0 )
(1, -1, 2) == (1,-1,2)
(-\frac{1}{2}, \frac{7}{2}) == (-0.5,3.5)
a=1,b=2,c=3 == (1,2,3)
(1,2)  == \left( 1 , 2 \right)
(3,4,5) =/= (5,4,3)
(2\pi, 0) == (2\pi,0)
(x,y)=(3,4) == (x,y)=(3, 4)
(1,0),(\frac{1}{100},-8) == (0.01,-8),(1,0)
\left(8, \frac{\pi}{3}, \frac{2 \pi}{3}\right) == (8,\pi/3,2\pi/3)
(5, \infty) =/= (5, 6)
(12, 5) =/= (5, 12)
\left(-\frac{11 \sqrt{3}}{2}, \frac{11}{2}\right) == (-11\sqrt3/2, 5.5)
-1, 2 =/= (2,-1)
( -2 , 5 ) == (-2,5)
x=-2,y=5 == (-2,5)
(a,b,c) = (1,2,3) == (1,2,3)
\left(\frac{1}{2}, -\frac{3}{4}\right) == (0.5,-0.75)
(1, 2), (3, 4) == (3,4), (1,2)
(1,2) \text{ and } (3,4) == (3,4),(1,2)
\{(1,2), (2,1)\} == (2,1),(1,2)
(0,0,0) =/= (0,0)
(x, y) == (x,y)
(x,y) =/= (y,x)
(5,-3) =/= (-5,3)
(2n, 3n) == (2n,3n)
\langle 1, 2 \rangle == (1,2)
(1;2) == (1,2)
(\sqrt{2}, \pi) == (2^{1/2}, \pi)
1, 2, 3 == (1,2,3)
(1,2,3) == (1, 2, 3)
\left( 3, \frac{\pi}{2} \right) == (3,\pi/2)
(6,31,-1) == (6, 31, -1)
(0.5, 2) == \left(\frac12,2\right)
1,2 == (1,2)
(1,2) == 1,2
(x,y) = (1,2) == (1,2)
(x, y) = (1, 2) == (1,2)
x=1, y=2 == (1,2)
\langle 1,2,3 \rangle == (1,2,3)
[1,2,3] == (1,2,3)
(-1, 6) == (-1,6)
(\sqrt{4}, 1) == (2,1)
(1,-16,-4,43) == (1, -16, -4, 43)
\left(\dfrac{1}{3}, \dfrac{2}{3}\right) == (1/3, 2/3)
P(1,2) == (1,2)
(1,2) =/= (2,1)
(1,2,3) =/= (1,3,2)
(1,2) =/= (1,2,3)
(1,2) =/= (1,-2)
(1,2,3) =/= (3,2,1)
2,1 =/= (1,2)
(1,2) =/= 12
(1,2) =/= 1
x=2, y=1 =/= (1,2)
(10,20) =/= (10,2)
(1,234) =/= 1,235
(8, \frac{\pi}{3}) =/= (8, \frac{\pi}{6})
3 to 4 == 3:4
3\text{ to }4 == 3:4
(\pm 1, 2) == (1,2),(-1,2)
p=5,q=2 \text{ or } p=7,q=2 == (5,2),(7,2)
x = 1, y = 2 \text{ or } x = 2, y = 1 == (1,2),(2,1)
x=1,y=2 \text{ or } x=3,y=4 =/= (1,2)
x=1,y=2,x=3,y=4 == (1,2),(3,4)
x=1,y=2,x=3,y=4 =/= (1,3),(2,4)
(\pm 1, 2) =/= (1,2)
[matrices]
\begin{bmatrix}1&2\end{bmatrix} == (1,2)
\begin{bmatrix}1&2\end{bmatrix} =/= (2,1)
\begin{pmatrix}1&2\\3&4\end{pmatrix} == \left( \begin{matrix}1&2\\3&4\end{matrix} \right)
\begin{bmatrix}x\\y\end{bmatrix} == \begin{pmatrix}x\\y\end{pmatrix}
\begin{pmatrix}1&2\\3&4\end{pmatrix} =/= \begin{pmatrix}1&2\\3&4\\0&0\end{pmatrix}
\left[\begin{matrix}1&2\\3&4\end{matrix}\right] == \begin{bmatrix}1&2\\3&4\end{bmatrix}
\begin{pmatrix}\frac{1}{2}\\-\frac{1}{2}\end{pmatrix} == \begin{pmatrix}1/2\\-1/2\end{pmatrix}
\begin{pmatrix} -1/2 & 0 \\ 0 & 1 \end{pmatrix} == \begin{pmatrix} -\frac{1}{2} & 0 \\ 0 & 1 \end{pmatrix}
\begin{bmatrix} 7 \\ 8 \end{bmatrix} == \begin{pmatrix} 7 \\ 8 \end{pmatrix}
\begin{pmatrix}2&0\\0&3\end{pmatrix} =/= \begin{pmatrix}3&0\\0&2\end{pmatrix}
\begin{array}{cc}1&2\\3&4\end{array} == \begin{pmatrix}1&2\\3&4\end{pmatrix}
\mathbf{A} = \begin{pmatrix}1\\2\end{pmatrix} == \begin{pmatrix}1\\2\end{pmatrix}
\begin{bmatrix}1&0\\0&1\end{bmatrix} == \begin{pmatrix}1&0\\0&1\end{pmatrix}
\begin{vmatrix}1&0\\0&1\end{vmatrix} =/= \begin{pmatrix}1&0\\0&2\end{pmatrix}
\begin{pmatrix}\frac12&0\\0&1\end{pmatrix} == \begin{pmatrix}0.5&0\\0&1.0\end{pmatrix}
\begin{pmatrix}1\\2\\3\end{pmatrix} == (1,2,3)
\begin{pmatrix}1\\2\\3\end{pmatrix} == \begin{bmatrix}1\\2\\3\end{bmatrix}
\begin{pmatrix}a&b\\c&d\end{pmatrix} == \begin{pmatrix}a & b\\ c & d\end{pmatrix}
\begin{pmatrix}1 & 2\end{pmatrix}^T == \begin{pmatrix}1\\2\end{pmatrix}
\begin{pmatrix} \sqrt{4} & 1 \\ 0 & 3 \end{pmatrix} == \begin{pmatrix} 2 & 1 \\ 0 & 3 \end{pmatrix}
\begin{pmatrix} 1/3 & 2 \\ 1 & 0 \end{pmatrix} == \begin{pmatrix} \frac{1}{3} & 2 \\[1ex] 1 & 0 \end{pmatrix}
A = \begin{pmatrix}1&2\\3&4\end{pmatrix} == \begin{pmatrix}1&2\\3&4\end{pmatrix}
2\begin{pmatrix}1\\2\end{pmatrix} == \begin{pmatrix}2\\4\end{pmatrix}
\frac{1}{3}\begin{pmatrix}1\\2\end{pmatrix} == \begin{pmatrix}1/3\\2/3\end{pmatrix}
\begin{pmatrix}1&2\\3&4\end{pmatrix} =/= \begin{pmatrix}1&2\\3&-4\end{pmatrix}
\begin{pmatrix}1&2\\3&4\end{pmatrix} =/= 1,2,3,4
\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix} == \begin{pmatrix}1&2\\3&4\end{pmatrix}
\begin{bmatrix} 1 & 2 \\ 3 & 4 \end{bmatrix} == \begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}
\begin{pmatrix} 0.5 \\ 2 \end{pmatrix} == \begin{pmatrix} \frac12 \\ 2 \end{pmatrix}
\begin{pmatrix} -2 \\ -14 \\ -7 \end{pmatrix} == \begin{pmatrix}-2\\-14\\-7\end{pmatrix}
\left(\begin{array}{cc} 1 & 2 \\ 3 & 4 \end{array}\right) == \begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}
\left[\begin{array}{r}1\\2\\3\end{array}\right] == \begin{bmatrix}1\\2\\3\end{bmatrix}
\begin{pmatrix} 1 & 2 \\ 3 & 4 \\ \end{pmatrix} == \begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}
\begin{pmatrix} 1 \\ 2 \end{pmatrix} == (1,2)
[[1,2],[3,4]] == \begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}
\begin{pmatrix} x+x \\ 1 \end{pmatrix} == \begin{pmatrix} 2x \\ 1 \end{pmatrix}
\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix} =/= \begin{pmatrix} 1 & 3 \\ 2 & 4 \end{pmatrix}
\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix} =/= \begin{pmatrix} 1 & 2 \\ 3 & 5 \end{pmatrix}
\begin{pmatrix} 1 \\ 2 \end{pmatrix} =/= \begin{pmatrix} 2 \\ 1 \end{pmatrix}
\begin{pmatrix} 1 \\ 2 \end{pmatrix} =/= \begin{pmatrix} 1 \\ 2 \\ 3 \end{pmatrix}
\begin{pmatrix} 1 & 2 & 3 & 4 \end{pmatrix} =/= \begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}
\begin{pmatrix} 1 & 0 \\ 0 & 1 \end{pmatrix} =/= \begin{pmatrix} 0 & 1 \\ 1 & 0 \end{pmatrix}
\begin{pmatrix} 1 & 2 \end{pmatrix} =/= \begin{pmatrix} 1 \\ 2 \end{pmatrix}
\begin{vmatrix}1&2\\3&4\end{vmatrix} == -2
\begin{vmatrix}1&2\\3&4\end{vmatrix} =/= \begin{pmatrix}1&2\\3&4\end{pmatrix}
\begin{vmatrix} 2 & 1 \\ 1 & 2 \end{vmatrix} == 3
\begin{vmatrix} 1 & 2 \\ 3 & 4 \end{vmatrix} =/= 2
\begin{pmatrix} 1 \\ 2 \end{pmatrix} + \begin{pmatrix} 3 \\ 4 \end{pmatrix} == \begin{pmatrix} 4 \\ 6 \end{pmatrix}
\begin{pmatrix} 1 \\ 2 \end{pmatrix} + \begin{pmatrix} 3 \\ 4 \end{pmatrix} =/= \begin{pmatrix} 4 \\ 7 \end{pmatrix}
\begin{pmatrix} 1 \\ 2 \end{pmatrix} == [1, 2]
[equations]
a(0)=5 =/= a(0)=7
x-x=3 =/= x-x=4
The A=\left[\begin{array}{c}1&2\\3&4\end{array}\right] Plain: "at" =/= The A=\left[\begin{array}{c}1&7\\3&4\end{array}\right] Plain: "at"
\cos 3 = -0.2 =/= \sin 3 = -0.1
1+2=4 =/= 1+2=5
\begin{aligned} x&=1\\y&=2\end{aligned} == x=1, y=2
\begin{aligned} x&=1\\y&=2\end{aligned} =/= x=2, y=1
x = 2 \text{ and } y = 3 == x=2,y=3
x=2\text{ and }y=3 == (2,3)
y = mx + b == y=b+mx
y - 2x = 3 == y=2x+3
y = 2(x+1)+1 == y=2x+3
a^2+b^2=c^2 == c^2=a^2+b^2
x^2+4x+4=0 == (x+2)^2=0
-x-y+1=0 == x+y=1
y=\pm x =/= y=x
2x + 3y = 5 =/= 3x+2y=5
x=3.0 == x=3
AB=\sqrt{3} == \sqrt{3}
\sin x = 1/2 == 0.5
n = 2k+1 == 2k+1
x = y =/= x = z
x = -3 == -3
\sin\theta = \frac{3}{5} == \frac35
y = 3x - 2 == 3x-y-2=0
y = 3x - 2 =/= y = 3x + 2
x^2 + y^2 = 25 == x^{2}+y^{2}-25=0
V = 36\pi == 36\pi
r = 2\cos\theta == r=2 \cos \theta
f(x) = x^2 + 1 == f(x) = 1 + x^2
f(x) = x^2+1 == x^2+1
x + 3 = 8 =/= 8
y=\frac{e}{4}x+\frac{e}{4} == y = \frac{e(x+1)}{4}
d=\frac{1+\sqrt{1+8 n}}{2} == \frac{1+\sqrt{8n+1}}{2}
A=18, B=44 / 3, C=10 / 3 == A=18,B=\frac{44}{3},C=\frac{10}{3}
f(n)=n, g(n)=1 == g(n)=1, f(n)=n
f(n)=n, g(n)=1 =/= f(n)=1, g(n)=n
f(x)=-1,f(x)=x+1 == f(x)=x+1, f(x)=-1
x=\pm y\sqrt{10} == x= \pm \sqrt{10}y
\frac{y^2}{16} - \frac{x^2}{9} = 1 =/= \frac{x^2}{16} - \frac{y^2}{9} = 1
p = 7 == p=7
x=7 =/= x=-7
y = -\frac{1}{2}x + 3 == y=-0.5x+3
x + 2y = 6 == y=-\frac{1}{2}x+3
y-3 = -\frac12 x == x+2y=6
3x+4y-12=0 == 3x+4y=12
(x-1)^2 + y^2 = 4 == x^2-2x+y^2=3
\frac{x^2}{4}+\frac{y^2}{9}=1 == 9x^2+4y^2=36
y^2 = 4x == x = \frac{y^2}{4}
f(x) = 2x == 2x
g(x)=x^2-2x+2 == x^{2}-2x+2
f^{-1}(x) = \frac{x-1}{2} == \frac{x-1}{2}
S_n = n^2 == n^2
a_n = 2n-1 == 2n-1
\theta = 45^\circ == 45^\circ
n = 5 == n=5
x=\frac{-1\pm\sqrt5}{2} == \frac{-1+\sqrt5}{2},\frac{-1-\sqrt5}{2}
E=mc^2 == E = c^2 m
m\angle A = 50 == 50
x = 3, y = 4 == x=3,y=4
y=4, x=3 == x=3, y=4
x=3,y=4 =/= x=4,y=3
y=x^2 =/= y=x^3
x^2=4 =/= x=4
x+y=5 =/= x+y=6
2x=4 == x=2
y=2 =/= x=2
1=1 =/= 2
f(x)=2x =/= f(x)=3x
z = 1 + i == 1+i
X_{d}=125-1.25 P == 125-1.25P
x=5 == 5
5 == x=5
x = 5 == x=5
5 = x == x=5
y = 2x+3 == 2x+3
y=2x+3 == y = 3 + 2x
2x+3 == y=2x+3
2x - y + 3 = 0 == y=2x+3
f(x)=x+22 == x+22
x + 22 == f(x) = x + 22
f(x) = 22 + x == f(x)=x+22
y=x+22 == f(x)=x+22
x^2+y^2=1 == y^2 + x^2 = 1
x^2+y^2-1=0 == x^2+y^2=1
(x-3)^{2}+(y-5)^{2}=65 == (x-3)^2 + (y-5)^2 = 65
2x+4y=6 == x+2y=3
k = n+1 == n+1
x = \frac{6}{2} = 3 == 3
2+3=5 == 5
a = 3 == 3
\angle ABC = 30^\circ == 30
AB = 5 == 5
x_1 = 2 == 2
A = \pi r^2 == \pi r^2
\text{Area} = 12 == 12
P(A) = \frac{1}{2} == 0.5
x=5 =/= x=6
x=5 =/= y=5
x=5 =/= 6
y=2x+3 =/= y=3x+2
y = 2x+3 =/= 2x-3
x^2+y^2=1 =/= x^2-y^2=1
x^2+y^2=1 =/= x^2+y^2=2
2x+3=7 =/= 7
x+y=1 =/= 1
y=2x =/= x=2y
x=5 =/= x>5
x=5 =/= x \ne 5
\frac{dy}{dx} = 2x == 2x
x = 10/2 = 5 == x=5
\frac{AB}{CD} = \frac{1}{2} == \frac12
\frac{AB}{CD} = \frac{1}{2} =/= 2
x = 2 + 3 = 5 =/= 6
[inequalities]
x^2 \neq 4 == x \ne \pm 2
x \neq 2, x \neq -2 == x \ne \pm 2
x \ne \pm 2 =/= x \ne 2
2^x > 8 == x > 3
2^x > 8 =/= x \ge 3
\frac{x-1}{x+2} \ge 0 == (-\infty,-2)\cup[1,\infty)
\frac{x-1}{x+2} \ge 0 =/= (-\infty,-2]\cup[1,\infty)
x^2 > 0 =/= \mathbb{R}
(x-1)^2 > 0 =/= x > 1
-3 \le 2x - 1 \le 5 == [-1,3]
\ln x < 0 == 0 < x < 1
\ln x < 0 =/= x < 1
x\leq 3 == 3\geq x
x < 3.0 == x<3
2 < x \le 5 == (2,5]
x > -1 =/= x > 1
y>3 =/= x>3
1 \leq a \leq 2 =/= 1 \leq a \leq 3
m < 0 \text{ or } m > 4 == m>4 \text{ or } m<0
x \le 2 \text{ and } x \ge 0 == 0 \le x \le 2
a<-1 == (-\infty,-1)
a > 3 == 3 < a
m \le -\frac{1}{2} == m \leq -0.5
0<a<1 == 1>a>0
x \geq 5 =/= x \leq 5
x>2 \text{ and } x<5 == 2<x<5
k<1 =/= k \le 1
n \neq 0 == n \ne 0
3x > 9 == x > 3
x < -2 \text{ or } x > 2 =/= -2 < x < 2
x \lt 3 == x<3
3 \gt x == x<3
x≥2 == x \geq 2
x \leqslant 2 == x\leq2
0 \leq x \leq 1 == 1 \ge x \ge 0
x\ge0, x\le 1 =/= x \ge 0
2x+1>5 == x>2
a^2+b^2 \ge 2ab == 2ab \le a^2+b^2
n \ge 3 =/= n > 3
x<3 =/= x>3
x<3 =/= x<4
-1<x =/= x<-1
m \geq 1 == m\ge 1
x>5 == x > 5
x>5 == 5<x
x \ge 5 == x \geq 5
x\geqslant 5 == x \ge 5
x>=5 == x \ge 5
5 \le x == x\ge5
2x > 10 == x > 5
-2<x<3 == -2 < x < 3
3 > x > -2 == -2<x<3
x \le -1 \text{ or } x \ge 1 == x \ge 1 \text{ or } x \le -1
x>2 and x<3 == 2<x<3
k \geqslant 2 == k\ge 2
n<7 == n < 7
x \ne 3 == x \neq 3
a \le b == b \ge a
x + y > 1 == y > 1 - x
-x < -5 == x > 5
x > 5 =/= x < 5
x > 5 =/= x \ge 5
x \ge 5 =/= x \le 5
x > 5 =/= x > 6
x > 5 =/= 5
5 =/= x > 5
x > 5 =/= x = 5
x > 5 =/= y > 5
-2<x<3 =/= -2\le x<3
-2<x<3 =/= -3<x<2
x<5 =/= 5<x
a<b =/= b<a
x \ne 3 =/= x = 3
-x < 5 =/= x < -5

[polynomials]
x^2 + x == x + x^{2}
(x+y)^2 == x^2+2xy+y^2
x^2+y^2 =/= (x+y)^2
-x-1 == -(x+1)
x^{2}-4 x+3 == (x-3)(x-1)
2x \cdot 3y == 6xy
(2x)(3y) == 6yx
5(x-1)+2 == 5x-3
a(b+c) == ab+ac
3x^{2} \cdot 2 == 6x^2
x^{2n} == (x^n)^2
1+x+x^2 =/= 1+x+x^3
9a+b =/= 9b+a
\frac{x^3}{3}+C == C+\frac13x^3
\frac{1}{x}+\frac{1}{y} == \frac{x+y}{xy}
n^3 =/= 3n
S =/= s+1
x^4-1 == (x^2-1)(x^2+1)
-2x^2+8x-5 == -5+8x-2x^2
\frac{9(x+6)}{10} == \frac{9x+54}{10}
3a^2b == 3 b a^2
(3x-1)(x+2) == 3x^2+5x-2
(3x-1)(x+2) =/= 3x^2+5x+2
3 n == 3n
\frac{a b}{2} == \frac{1}{2}ab
\frac{N}{2} == N/2
2^{n+1}-2 == 2(2^n-1)
y^{4}-2 y^{3}+7 y^{2}+y-5 == y^4-2y^3+7y^2+y-5
6 r^{2}-4 r-24 == 6r^2 - 4r - 24
x^2+1 =/= x^2+1+x
t^7 =/= 7t
4x^{3} =/= 3x^{4}
a_1+a_2 == a_2 + a_1
u^2v =/= uv^2
x(x+2) + 1 == (x+1)^2
x^2-5x+6 == (x-2)(x-3)
x^{3}+3x^{2}+3x+1 == (x+1)^3
-x^2+4 == 4-x^2
2(x+3) == 2x+6
2x+6 =/= 2x+5
x^2+x+1 =/= x^2+x-1
a^2 - b^2 == (a-b)(a+b)
(x + 1)(x - 1) == x^2-1
5x^4 == 5 x^{4}
\frac{3}{4}x^2 == 0.75x^2
3x^2y == 3yx^2
xyz == zyx
6x^3 =/= 6x^2
x^{-1} == \frac{1}{x}
x^{1/2} == \sqrt{x}
(2x)^2 == 4x^2
2x^2 =/= 4x^2
-(x-1) == 1-x
4x - 3 == -3+4x
n^{2}+n == n(n+1)
\frac{n(n+1)(2n+1)}{6} == \frac{2n^3+3n^2+n}{6}
2^n-1 == -1+2^n
2^{n}\cdot 2 == 2^{n+1}
3^{2n} == 9^n
(n+1)! == (n+1) n!
X^2+1 == x^2+1
m(s^2+s+\frac{37}{4}) == ms^2+ms+\frac{37m}{4}
\frac{1}{s+a} == 1/(s+a)
x^{10} =/= x^{100}
x^2+2x+1 == (x+1)^2
(x+1)^2 == x^2 + 2x + 1
x^{2}+2 x+1 == 1+2x+x^2
-13x+3 == 3-13x
8n^2+4n+1 == 4n + 8n^2 + 1
x(x+1) == x^2+x
(x-1)(x-2) == x^2-3x+2
2xy == 2yx
xy == yx
x*y == xy
3x == 3 \cdot x
\frac{x}{2} == 0.5x
\frac{1}{2}x == x/2
x^3-x == x(x-1)(x+1)
(a+b)^2 == a^2+2ab+b^2
p^{2}+14 p+49 == (p+7)^2
\frac{x^2-1}{x-1} == x+1
\frac{9 r}{5(r+1)} == \frac{9r}{5r+5}
2RC+R+C == R + C + 2CR
n(n-1) == n^2-n
x^2 y == y x^2
x**2 == x^2
2^{k-n} == \frac{2^k}{2^n}
M=2^{N-2}+1 == 2^{N-2}+1
\frac{1-p^{2}}{3} == \frac{(1-p)(1+p)}{3}
x_1+x_2 == x_2+x_1
\alpha+\beta == \beta+\alpha
t^{4}+t^{2} == t^2(t^2+1)
k\left(4 k^{2}+k-1\right) / 2 == \frac{4k^3+k^2-k}{2}
x^2+2x+1 =/= x^2+2x
x^2+2x+1 =/= x^2-2x+1
(x+1)^2 =/= x^2+1
x^2 =/= 2x
x^{2} =/= x_2
x^2 =/= x2
2xy =/= 2x+y
x+1 =/= y+1
x+1 =/= x-1
x^{12} =/= x^1 2
ax+b =/= bx+a
n^2+1 =/= n^2
x^{n+1} =/= x^n+1
2^{n-1} =/= 2^n-1
n =/= 2n
3x =/= x^3
x^2-1 =/= (x-1)^2
-x+1 =/= -(x+1)
x_1+x_2 =/= x_1+x_3

[radicals]
\sqrt{ 5 } == \sqrt5
\sqrt{5} \text{ cm} == \sqrt{5}
2\sqrt{5} =/= 5\sqrt{2}
\sqrt{\pi} == \pi^{1/2}
\sqrt{48}-\sqrt{3} == 3\sqrt3
\frac{1}{2}\sqrt{2} == \frac{\sqrt2}{2}
\sqrt{6}/3 =/= \sqrt{3}/6
\frac{\sqrt{15}-\sqrt{3}}{2} == \frac{\sqrt{3}(\sqrt{5}-1)}{2}
\sqrt{2-\sqrt{3}} == \frac{\sqrt{6}-\sqrt{2}}{2}
\sqrt[6]{8} == \sqrt{2}
\log_{2}(x+1) == \frac{\ln(x+1)}{\ln 2}
\ln(2)+\ln(3) == \ln 6
\ln 6 =/= \ln 5
\tan^2 x + 1 == \frac{1}{\cos^2 x}
\sin(-x) == -\sin x
e^{x+y} == e^xe^y
\sin x^2 =/= \sin^2 x
\sin 2x =/= 2\sin x
\frac{\pi^2}{6} == \pi^2/6
x\sqrt{x} == x^{3/2}
\sqrt{a^2+b^2} =/= a+b
\frac{\sqrt{6}}{3} == \sqrt{\frac{2}{3}}
5\sqrt{2} + 4 == 4+5\sqrt2
3 + 2\sqrt{2} == (1+\sqrt{2})^2
\sqrt{1.5} == \frac{\sqrt{6}}{2}
\frac{3\sqrt[3]{4}}{2} == \frac{3}{\sqrt[3]{2}}
\frac{2}{7} \sqrt{53} == \frac{2\sqrt{53}}{7}
\sqrt{3}/2 == \frac{\sqrt{3}}{2}
4\sqrt{65} =/= 4\sqrt{56}
-\sqrt{3} =/= \sqrt{3}
\ln\frac{1}{2} == -\ln 2
\log_{3}{9} == 2
\log_4 2 == \frac12
2^{\log_2 5} == 5
e^{\ln 7} == 7
\frac{\ln 8}{\ln 2} == 3
\cos 2x == 1-2\sin^2 x
\cos^{2} x == \frac{1+\cos 2x}{2}
\sin(x+y) == \sin x \cos y + \cos x \sin y
\sin (\pi/3) == \frac{\sqrt3}{2}
\arccos 0 == \frac{\pi}{2}
25 \sqrt{3} == 25\sqrt{3}
1024-256 \pi == 256(4-\pi)
4 \pi^{2}-1 == (2\pi-1)(2\pi+1)
\sqrt{x+1} =/= \sqrt{x}+1
\frac{(2+\sqrt{3})^{2}}{4} == \frac{7+4\sqrt{3}}{4}
c x^{-2}-\frac{\cos (2 x)}{2 x^{2}} == \frac{c}{x^2} - \frac{\cos 2x}{2x^2}
1-e^{-a t} == 1 - \frac{1}{e^{at}}
\sqrt[3]{3} =/= 3
\frac{v_{0}}{r_{0}} \frac{1}{\left(1+r / r_{0}\right)^{3 / 2}} == \frac{v_0}{r_0 (1+\frac{r}{r_0})^{3/2}}
\sqrt{50} == 5\sqrt{2}
\sqrt{8}+\sqrt{2} == 3\sqrt2
\frac{6}{\sqrt{3}} == 2\sqrt{3}
\sqrt{\frac{3}{4}} == \frac{\sqrt3}{2}
\sqrt{0.25} == 0.5
\sqrt[4]{16} == 2
27^{1/3} == 3
27^{\frac{2}{3}} == 9
\sqrt{x^4} == x^2
2 \sqrt{10} == 2\sqrt{10}
2\sqrt{10} == \sqrt{40}
sqrt{2} == \sqrt{2}
sqrt2 == \sqrt{2}
\sqrt2/2 == \frac{\sqrt{2}}{2}
3+\sqrt{2} =/= 3-\sqrt{2}
\sqrt{5} =/= 5
\sqrt{10} =/= \sqrt{5}\cdot 2
\sqrt{a}\sqrt{b} == \sqrt{ab}
(1+\sqrt{2})^2 == 3+2\sqrt2
\frac{1}{\sqrt{2}-1} == \sqrt{2}+1
e^{\pi} =/= \pi^{e}
\ln 2 =/= \log_{10} 2
\log_{10} 100 == 2
\lg 100 == 2
\pi^2 == \pi \cdot \pi
\sin\frac{\pi}{6} == \frac{1}{2}
\frac{\pi}{2}-1 == -1+\pi/2
\cot \frac{\pi}{4} == 1
\arcsin\frac12 == \frac{\pi}{6}
\tan^{-1}(1) == \frac{\pi}{4}
\frac{\sin x}{\cos x} == \tan x
\sec^2 x == 1+\tan^2 x
\ln(ab) == \ln a+\ln b
\ln x^2 == 2\ln x
e^{-2x} == \frac{1}{e^{2x}}
\cosh x == \frac{e^x+e^{-x}}{2}
x e^{3x} == xe^{3 x}
\frac{1}{b-a}\left(e^{-a t}-e^{-b t}\right) == \frac{e^{-at}-e^{-bt}}{b-a}
t \tan t+\ln |\cos t|+C == C + t\tan t + \ln|\cos t|
\sqrt{12} == 2\sqrt{3}
2\sqrt3 == 2\sqrt{3}
2\sqrt 3 == 2\sqrt{3}
\frac{\sqrt{3}}{3} == \frac{1}{\sqrt{3}}
11\sqrt5+11 == 11 \sqrt{5} + 11
\sqrt[3]{8} == 2
\sqrt[3]{16} == 2\sqrt[3]{2}
\sqrt{2}\sqrt{3} == \sqrt{6}
√2 == \sqrt{2}
3√2 == 3\sqrt{2}
sqrt(2) == \sqrt{2}
2*sqrt(3) == 2\sqrt{3}
2^{1/2} == \sqrt{2}
2^{0.5} == \sqrt2
2^{-2/3} == \frac{1}{\sqrt[3]{4}}
\sqrt{\frac{1}{2}} == \frac{\sqrt{2}}{2}
\frac{2 \sqrt{5}}{5} == \frac{2}{\sqrt5}
\sqrt{3+2\sqrt{2}} == 1+\sqrt{2}
\frac{1+\sqrt{5}}{2} == \frac{1}{2} + \frac{\sqrt{5}}{2}
(\sqrt{2}+\sqrt{6}) / 2 == \frac{\sqrt6+\sqrt2}{2}
10\sqrt{26} == \sqrt{2600}
\sqrt{2}+\sqrt{3} == \sqrt{3} + \sqrt{2}
\sqrt[3]{-8} == -2
\frac{-1+\sqrt{5}}{2} == \frac{\sqrt{5}-1}{2}
\sqrt{x^2 y} == \sqrt{yx^2}
\cos 60^\circ == \frac12
\sin 30° == 0.5
8(\sqrt[10]{2^{7}}) == 8 \cdot 2^{0.7}
\log_2 8 == 3
\ln e^2 == 2
18+2\pi == 2(\pi+9)
\frac{81}{32}\pi == \frac{81\pi}{32}
e^{2\ln 3} == 9
\frac{\log 2}{\log 2-\log 3} == \frac{\ln 2}{\ln 2 - \ln 3}
\tan 45^\circ == 1
\arctan 1 == \frac{\pi}{4}
\sqrt{12} =/= 3\sqrt{2}
\sqrt{2} =/= 2
\sqrt{2} =/= \sqrt{3}
\sqrt[3]{2} =/= \sqrt{2}
2\sqrt{3} =/= \sqrt{6}
\sqrt{2}+\sqrt{3} =/= \sqrt{5}
\sqrt{4} =/= -2
3\sqrt{2} =/= \sqrt[3]{2}
\sqrt{x^2} =/= x
|x| =/= x
\pi =/= \frac{22}{7}
2\pi =/= 2
\sqrt{23} =/= \sqrt{2}3
\log_2 8 =/= \log_3 8
\sin x =/= \cos x
\sin^2 x+\cos^2 x == 1
\sin 2x == 2\sin x\cos x
\sin^2 x == (\sin x)^2
\sin^{-1} x == \arcsin x
e^{x} =/= e^{-x}
e^x == \exp(x)

[complex]
\int_0^1 x^2 dx == \frac13
\int_0^1 x^2 dx =/= \frac12
1+2i == 1+2\mathrm{i}
(1+i)^4 == -4
2\operatorname{cis} 30^\circ =/= 2
\frac{1-7i}{5} == 0.2-1.4i
3 =/= 3+0.1i
3 == 3+0i
-3+2i == 2i-3
1-i =/= i-1
\frac{-1+i\sqrt{3}}{2} == e^{2\pi i/3}
4i^2 == -4
(3-i)^2 == 8-6i
5e^{0} == 5
2i+1 == 1+2i
i\sqrt{2} == \sqrt{2}i
\pm i == i, -i
\frac{2}{1-i} == 1+i
3+4i == 4i+3
(2+i)(2-i) == 5
\sqrt{-4} == 2i
2i =/= -2i
1+i =/= 1-i
i^{3} == -i
\cos\theta+i\sin\theta == e^{i\theta}
-1+i\sqrt{3} == -1+\sqrt{3}i
\frac{3}{5}-\frac{4}{5}i == \frac{3-4i}{5}
2\left(\cos\frac{\pi}{6}+i\sin\frac{\pi}{6}\right) == \sqrt{3}+i
5\text{i} == 5i
3 + 4j =/= 3+4i
|3+4i| == 5
6+9i == 9i+6
6+9i == 6 + 9i
1-12i == 1 - 12 i
3i == 3 i
i == \mathrm{i}
-i == \frac{1}{i}
i^2 == -1
(1+i)^2 == 2i
e^{i\pi} == -1
\frac{1+i}{2} == \frac12+\frac12 i
1+\sqrt{3}i == 1 + i\sqrt{3}
3i,-3i == \pm 3i
\frac{1}{1+i} == \frac{1-i}{2}
2e^{i\pi/2} == 2i
\cos\frac{\pi}{3}+i\sin\frac{\pi}{3} == e^{i\pi/3}
-\frac{1}{2} \pm 3 i == -\frac12+3i, -\frac12-3i
6+9i =/= 6-9i
6+9i =/= 9+6i
6+9i =/= 15
6+9i =/= 6
3i =/= 3
i =/= -i
i =/= 1
1+\sqrt{3}i =/= 1-\sqrt{3}i
e^{i\pi/3} =/= e^{-i\pi/3}
\operatorname{cis} 60^\circ == \frac12 + \frac{\sqrt3}{2} i
2 \text{cis } 90^\circ == 2i
e^{I\pi} == -1
\text{cis } 90^\circ =/= -i
[multiple choice]
\text{(B) or (C)} =/= B
(B) and (D) == B, D
(D) 12 == 12
(D) 12 =/= 13
\mathrm{B,E} == \text{B,E}
A \text{ and } C == A, C
(A) 5 == A
A) 5 == A
A: 5 == A
A 5 =/= B
\text{A: } 5 == A
\text{The answer is A} == A
\mathbf{(A)} == A
Choice A == A
AB =/= A
B,D == BD
\text{B, D} == BD
\text{(A) and (C)} == AC
a == A
A. == (A)
\text{A} == A
(E) == E
\textbf{(E)}\ 24 == E
D) None == D
(d) == D
C. 15 == C
C, D == CD
\text{A and C} == AC
B =/= (D)
ABC == A, B, C
ABC =/= ABD
(B) == B
B) 12 == B
\boxed{B} == B
\text{B} == \text{(B)}
\textbf{(B) } 12 == B
\text{B. } 12 == B
B \text{ only} =/= C
A, B, D == ABD
A and B == AB
AB == BA
(A), (C) == A, C
\mathbf{D} == D
\text{Option B} == B
b) == B
D. None of the above == D
BCD =/= BC
A =/= AB
C == C
(C) == C
C == (C)
\text{C} == C
\text{(C)} == C
C == \text{(C)}
\textbf{(C)} == C
\mathrm{C} == C
C. == C
C) == C
C: 5 == C
(C) 12 == C
\text{(C) } 12 == C
\textbf{(C)}\ 12 == C
\text{C) blue} == C
c == C
Option C == C
The answer is C == C
A,C == AC
A and C == A,C
C, A == A,C
ACD == A, C, D
A =/= C
(A) =/= C
\text{(A)} =/= \text{(B)}
12 =/= C
A. =/= C
(A) C =/= C
B, C =/= C
AC =/= A
AC =/= AD
\text{A) C} =/= C
Cat =/= C
D =/= E
E =/= A
[B] == B
(B)+1 =/= B
\mathrm{E}*2 =/= E
A because (B) is wrong == A
A because (B) is wrong =/= B
\text{(A)} + 1 =/= A
[dates]
12 noon == 12:00 PM
noon =/= 12 AM
Jan. 5 == January 5
Jan. 5 =/= Jan. 6
June 1 == 1 June
June 1st == June 1
June 1 =/= July 1
Jan 1, 2000 == January 1, 2000
12:00 == 12:00 PM
noon =/= midnight
Thursday == \text{Thursday}
May 5, 2020 == 5 May 2020
May 5th, 2020 == May 5, 2020
\text{May } 5 == May 5
1/2/2020 == January 2, 2020
9:00 == 9:00
9:05 =/= 9:50
Wednesday == Wednesday.
Sunday =/= Saturday
1:30 \text{ p.m.} == 1:30 PM
July 4, 1776 == 4 July 1776
July 4, 1776 == \text{July 4, 1776}
July 4 == 4 July
1776-07-04 == July 4, 1776
Monday == \text{Monday}
Tuesday =/= \text{Thursday}
December 25 =/= December 24
3:30 PM == 3:30 \text{ p.m.}
3:30 == 3:30
7:00 am =/= 7:00 pm
2023 == 2023
12:15 =/= 12:51
\text{April} == April
Sept 5 == September 5
March 5, 2024 == 5 March 2024
March 5, 2024 == March 5 2024
2024-03-05 == March 5, 2024
\text{March 5, 2024} == March 5, 2024
Mar 5 == March 5
March 5th == March 5
5th of March == March 5
\text{Friday} == Friday
friday == \text{Friday}
1998 == 1998
10:30 == 10:30
10:30 a.m. == 10:30 AM
10:30 == 10\!:\!30
3 PM == 3:00 PM
March 5, 2024 =/= March 6, 2024
March 5, 2024 =/= May 3, 2024
2024-03-05 =/= 2024-05-03
March 5 =/= April 5
\text{Friday} =/= \text{Monday}
10:30 =/= 10:31
3 PM =/= 3 AM
15:00 == 3:00 PM
5:30 PM == 17:30
15:00 =/= 3:00 \text{ AM}
20:34 == 20:34:00
20:34 =/= 8:34 AM
[text]
Yes, since it is == \text{Yes}
\text{Yes, since it is} =/= \text{No}
\text{Yes} =/= \text{Yes, } x=3
\text{infinitely many} == \infty
1011 (base 2) == 1011_2
1011 (base 2) =/= 1011_3
5_{10} == 5
sinx == \sin x
lnx =/= \ln y
\text{ yes } == Yes
Yes, it is =/= No
\text{square} == square
the square == \text{square}
\text{scalene triangle} =/= \text{isosceles triangle}
\text{None of the above} == none of the above
\text{False} == false
"Paris" == Paris
Paris, France =/= London, England
no == No
left-handed == left handed
\text{A} \rightarrow \text{B} =/= \text{B} \rightarrow \text{A}
\text{all real numbers} == (-\infty,\infty)
\text{parabola} == parabola
Parabola == \text{ parabola}
\text{Circle} == circle
$\text{Navin}$ == Navin
Bob =/= Rob
\text{Briana} == \text{Briana}
\text{Not enough information} == not enough information
never == \text{Never}
\text{odd} == odd.
does not exist == \text{does not exist}
\text{undefined} == Undefined
16807_8 =/= 16807
2516_8 == 2516_{8}
\text{converges} == Converges
min at x=1 =/= max at x=1
\text{pink} == pink
\text{The Eiffel Tower} == Eiffel Tower
20\% =/= pink
4:9 == 4 : 9
\alpha =/= a
\text{Alice} == alice
\text{ Alice } == Alice
Alice and Bob == Bob and Alice
\text{Alice, Bob} == Alice, Bob
right triangle == \text{right triangle}
a right triangle == right triangle
\text{even function} =/= \text{odd function}
\text{neither} == neither
increasing =/= decreasing
\text{no real solutions} == No real solutions
none == None
\text{None} == \emptyset
\text{Impossible} == impossible
\text{Not a function} == not a function
function =/= not a function
yes =/= no
true == True
F == \text{F}
\infty == +\infty
\alpha == \alpha
\alpha =/= \beta
\theta =/= \phi
m == \text{m}
\Delta ABC == \triangle ABC
1011_2 == 1011_{2}
1011_{2} =/= 1101_{2}
12_{10} =/= 12_8
AAS == \text{AAS}
\text{SAS} =/= \text{ASA}
2:3 == 2 : 3
2:3 == 2\colon 3
2:3 == \frac{2}{3}
7:5 =/= 5:7
Ciphertext =/= plaintext
Evelyn == \text{Evelyn}
\text{evelyn} == Evelyn
\textbf{Evelyn} == \text{Evelyn}
Evelyn. == Evelyn
\text{No solution} == no solution
no solution == \text{No solutions}
\text{Yes} == yes
Yes. == \text{Yes}
\text{ellipse} == Ellipse
the ellipse == ellipse
an ellipse == \text{ellipse}
\infty == ∞
infinity == \infty
-\infty == - \infty
undefined == \text{undefined}
DNE == does not exist
\text{even} == even
True == \text{True}
MR=SRMC == MR = SRMC
Neptune == \text{Neptune}
diverges == \text{diverges}
\text{east} =/= \text{west}
Yes =/= No
\text{even} =/= \text{odd}
Evelyn =/= Evan
\text{hyperbola} =/= \text{ellipse}
no solution =/= 0
\infty =/= -\infty
True =/= False
converges =/= diverges
cat =/= act
undefined =/= 0
4343_6 == 4343_{6}
4343_6 == 4343_{(6)}
4343_{\text{six}} == 4343_6
101_2 =/= 101_3
4343_6 =/= 4343_7
4343_6 =/= 4343
1:1 == 1:1
3:4 == 3 : 4
3:4 == \frac{3}{4}
1:2 =/= 2:1
3:4 =/= 4:3
\textbf{No} == no
[ratios and others]
1:2:3 == 1 : 2 : 3
1:2:3 =/= 1:3:2
\frac{\pi}{4} == \pi/4
\frac{4\pi}{3} == \frac43\pi
4\pi =/= 4
2\ln 3 == \ln 9
\log 100 == 2
\lfloor\frac{2 n-1}{5}\rfloor == \left\lfloor \frac{2n-1}{5} \right\rfloor
n! == n!
\frac{n!}{2} == \frac12 n!
\binom{n}{2} == \frac{n(n-1)}{2}
C_5^2 =/= 11
\sum_{k=1}^{n} k == \frac{n(n+1)}{2}
\int_0^1 x dx == \frac12
2^{2^{2}} == 16
9^{9^{9}} =/= 9^{9^{8}}
\overline{AB} == \overline{AB}
\vec{a}+\vec{b} == \vec{b}+\vec{a}
x / 8-(\sin 4 x) / 32+C == \frac{x}{8}-\frac{\sin 4x}{32}+C
﹣3 == -3
𝑥+1 == x+1
∑ == \sum
²⁄₃ == 2/3
∜16 == 2
⅒ == 0.1
⅑ == 1/9
⅐ == 1/7
“yes” == yes
[congruences]
x \equiv 3 \pmod 7 == 3 \pmod{7}
x \equiv 3 \pmod 7 == x \equiv 3 \bmod 7
x \equiv 3 \pmod{7} == x\equiv 3 (mod 7)
x \equiv 3 \pmod{7} == x \equiv 10 \pmod{7}
n \equiv -1 \pmod{4} == n \equiv 3 \pmod 4
x \equiv 3 \pmod{7} == 3
x \equiv 3 \pmod{7} =/= 10
1,3 \pmod 8 == x \equiv 1,3 \pmod{8}
x\equiv 1,3 \pmod 8 =/= x\equiv 1,5 \pmod 8
x \equiv 3 \pmod 7 =/= x \equiv 3 \pmod{14}
x \equiv 3 \pmod 7 =/= y \equiv 3 \pmod 7
2x \equiv 4 \pmod 6 =/= x \equiv 4 \pmod 6
x \equiv 3 \pmod 7 =/= 7
5 \pmod{0} =/= 5
7 \bmod 4 == 3
17 \mod 5 == 2
17 \mod 5 =/= 3
17 \bmod 5 =/= 17
[number words]
fifty percent == 50\%
fifty percent == 0.5
fifty percent =/= 5
fifty percent =/= 60\%
twenty-five percent == \frac14
five dollars == 5
five dollars == \$5
five dollars =/= 5 cents
twelve apples == 12
one and a half == 1.5
three and one half == 3.5
two and a half =/= 1.25
two hundred and five == 205
two hundred and five =/= 200
negative five == -5
negative five =/= 5
one third =/= 3
one to one =/= 1
two and three =/= 23
five sixths =/= \frac{6}{5}
3 \text{ tenths} == 0.3
3 \text{ tenths} =/= 3
[piecewise]
\begin{cases} x & x > 0 \\ -x & x < 0 \end{cases} == \begin{cases} -x & x < 0 \\ x & \text{if } x > 0 \end{cases}
\begin{cases} x & x > 0 \\ -x & x < 0 \end{cases} =/= \begin{cases} x & x < 0 \\ -x & x > 0 \end{cases}
\left\{ \begin{array}{l} n & n<1 \\ 2n & n>1 \end{array} \right. == \begin{cases} n & n < 1 \\ 2n & n > 1 \end{cases}
\left\{ \begin{array}{l} n & n<1 \\ 2n & n>1 \end{array} \right. =/= \begin{cases} 2n & n<1 \\ n & n>1 \end{cases}
[qualified values]
not $0$ =/= $0$
not \approx 24.3 =/= \approx 24.3
5\text{ or more} =/= 5
5 \text{ or less} =/= 5
5 \text{ and above} =/= 5
x=4 \text{ or more} =/= x=4
5 \text{ squared} =/= 5
not 0,-3 =/= 0,-3
> 5 =/= 5
\ne 5 =/= 5
\ge 5 =/= > 5
\le 5 =/= \ge 5
\ge 5 == x \ge 5
at least 5 == x \geq 5
at least 5 =/= at most 5
\ne 5 == x \ne 5
only 5 == 5
5\, \blacksquare == 5
{\text{(C)}} == \text{(C)}
9\  == 9
[domains]
2k\pi, k \in \mathbb{Z} == 2k\pi
x = 2k\pi \text{ where } k \text{ is an integer} == 2k\pi
2k+1 \text{ where } k \text{ is odd} =/= 2k+1
x = 2k\pi, k \in \mathbb{Z} =/= x = k\pi, k \in \mathbb{Z}
f(x) = 2x \text{ for all } x \in \mathbb{R} == f(x)=2x
x > 3, x \in \mathbb{Z} =/= x > 3
x>3, x\in\mathbb{R} == x>3
\{x \in \mathbb{Z} : 1 \le x \le 3\} =/= [1,3]
\{x \in \mathbb{Z} : x > 1\} =/= (1, \infty)
\{2n : n \in \mathbb{Z}\} =/= \mathbb{Z}
\{2n : n \in \mathbb{Z}\} == \{2n \mid n \in \mathbb{Z}\}
\{2n : n \in \mathbb{Z}\} =/= \{2n+1 : n \in \mathbb{Z}\}
\text{all real numbers except } 1, 2 == x\ne 1,2
all real numbers except 2 =/= x \neq 3
\mathbb{R}^+ == x>0
\mathbb{R}^+ =/= [0,\infty)
[both and either]
x<1 and x>2 =/= (-\infty,1)\cup(2,\infty)
x<1 \text{ and } x>2 =/= x<1 \text{ or } x>2
x>1 \text{ and } x<2 =/= x>1 \text{ or } x<2
x>1 \text{ or } x<2 == \mathbb{R}
x<1, x>2 == (-\infty,1)\cup(2,\infty)
x>1; x<3 == 1<x<3
x<1 \cup x>2 == (-\infty,1)\cup(2,\infty)
x<1 \cap x>0 == (0,1)
x=1 \text{ and } x=2 == x=1 \text{ or } x=2
x \neq 1, 2 == x\ne 1 \text{ and } x\ne 2
x \neq 1, 2 =/= x\ne 1
(1,2) \text{ or } (3,4) == (1,2)\cup(3,4)
(1,2) \text{ or } (3,4) =/= (1,2)\cup(3,5)
(1,2) U (3,4) == (1,2)\cup(3,4)
(0,1) \cup (2,\infty] =/= (0,1) \cup (2,\infty)
a=1\quad b=2 == a=1,b=2
a=1\quad b=2 =/= a=2, b=1
x=1\\x=2 == 1,2
4:6:8 == 2:3:4
4:6:8 =/= 2:4:3
0:0:0 =/= 1:2:3
"""


def cases() -> list[tuple[str, str, str, bool]]:
    """(category, answer, gold, whether it is right) of every line."""
    found, category = [], ""
    for line in CASES.strip().split("\n"):
        if line.startswith("[") and line.endswith("]") and "==" not in line and "=/=" not in line:
            category = line[1:-1]
        elif line.strip():
            right = " == " in line
            answer, gold = line.split(" == " if right else " =/= ")
            found.append((category, answer, gold, right))
    return found
