import sys, os
from typing import List, Dict
import json
def area( width : int,height:int )->int :
    return width*height
def   describe(values: List[int]) -> Dict[str,int]:
    unused_total = 0
    return {'min':min(values) ,  "max":max( values )}
if __name__=="__main__":
    print( json.dumps(describe([3,1,2])) , area( 2,3 ) )
